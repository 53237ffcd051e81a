"""Plays the services that carry letters: Alibaba Cloud's text messages, WeChat, and the chats' robots. Each checks what its
documents say that it checks, and answers with the codes that they list.

Settings: now (UTC milliseconds: by which clock times are checked; our own when absent).
Orders:   answer {service, status, body, headers, times}: the next calls of a service are answered so, whatever they are
          spend {}: WeChat's token does not count any more
Reports:  listening <port>, once; taken {service, ...} for each letter taken; token {force} for each of WeChat's tokens asked
          for; done <order> when an order holds.
"""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import service_aliyun
import service_chats
import service_wechat
from control import obey, report, settings


class Services:
    """The services, by the first part of a path."""

    def __init__(self, now):
        self.lock = threading.Lock()
        self.scripted = {}
        self.wechat = service_wechat.WeChat()
        chats = service_chats.Chats(now)
        self.by_name = {
            "aliyun": service_aliyun.Aliyun(now).call,
            "wechat": self.wechat.call,
            "dingtalk": chats.dingtalk,
            "feishu": chats.feishu,
            "slack": chats.slack,
            "telegram": chats.telegram,
        }

    def call(self, name, call):
        """Status, headers and body of the answer."""
        with self.lock:
            waiting = self.scripted.get(name)
            if waiting:
                return waiting.pop(0)
            status, body = self.by_name[name](call)
            return status, {}, body

    async def answer(self, service, status, body, headers, times):
        with self.lock:
            self.scripted.setdefault(service, []).extend([(status, headers, body)] * times)
        report("done", "answer")

    async def spend(self):
        with self.lock:
            self.wechat.spend()
        report("done", "spend")


def handler(services):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            url = urlsplit(self.path)
            name, _, path = url.path.removeprefix("/").partition("/")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            call = {
                "path": "/" + path,
                "query": parse_qsl(url.query, keep_blank_values=True),
                "headers": {key.lower(): value for key, value in self.headers.items()},
                "body": body,
            }
            status, headers, answer = services.call(name, call)
            answer = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return Handler


async def main():
    services = Services(settings().get("now"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(services))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    report("listening", server.server_address[1])
    await obey({"answer": services.answer, "spend": services.spend})


asyncio.run(main())
