"""The chats' robots: DingTalk's and Feishu's signatures, Slack's webhook, Telegram's bot; as their documents have them."""

import base64
import hashlib
import hmac
import json
import time

from control import report

SECRET = "secret of the robot"
TOKEN, ROOM = "123:token", "-100"
AN_HOUR = 3600


class Chats:
    def __init__(self, now):
        self.now = now
        self.messages = {}

    def is_near(self, seconds):
        return abs(seconds - (time.time() if self.now is None else self.now / 1000)) < AN_HOUR

    def dingtalk(self, call):
        query = dict(call["query"])
        if query.get("access_token") != TOKEN:
            return 200, {"errcode": 300001, "errmsg": "token is not exist"}
        signed = digest(SECRET, f"{query.get('timestamp')}\n{SECRET}")
        if query.get("sign") != signed or not self.is_near(int(query["timestamp"]) / 1000):
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        body = json.loads(call["body"])
        if body.get("msgtype") != "text":
            return 200, {"errcode": 40035, "errmsg": "缺少参数 json"}
        report("taken", {"service": "dingtalk", "text": body["text"]["content"]})
        return 200, {"errcode": 0, "errmsg": "ok"}

    def feishu(self, call):
        body = json.loads(call["body"])
        signed = digest(f"{body.get('timestamp')}\n{SECRET}", "")
        if body.get("sign") != signed or not self.is_near(int(body["timestamp"])):
            return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}
        if body.get("msg_type") != "text":
            return 400, {"code": 9499, "msg": "Bad Request"}
        report("taken", {"service": "feishu", "text": body["content"]["text"]})
        return 200, {"code": 0, "msg": "success", "data": {}}

    def slack(self, call):
        if call["path"] != "/services/T0/B0/x":
            return 404, "no_service"
        body = json.loads(call["body"])
        if not body.get("text"):
            return 400, "no_text"
        report("taken", {"service": "slack", "text": body["text"]})
        return 200, "ok"

    def telegram(self, call):
        if not call["path"].startswith(f"/bot{TOKEN}/"):
            return 401, failed(401, "Unauthorized")
        body = json.loads(call["body"])
        if str(body.get("chat_id")) != ROOM:
            return 400, failed(400, "Bad Request: chat not found")
        method, text = call["path"].rsplit("/", 1)[1], body["text"]
        number = body.get("message_id") or len(self.messages) + 1
        if method == "editMessageText":
            if number not in self.messages:
                return 400, failed(400, "Bad Request: message to edit not found")
            if self.messages[number] == text:
                return 400, failed(400, "Bad Request: message is not modified")
        self.messages[number] = text
        report("taken", {"service": "telegram", "method": method, "message": number, "text": text})
        return 200, {"ok": True, "result": {"message_id": number}}


def failed(code, description):
    return {"ok": False, "error_code": code, "description": description}


def digest(key, message):
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
