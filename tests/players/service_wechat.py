"""WeChat's official accounts: stable_token, template messages, and their codes, as its documents have them."""

import json
import re

from control import report

APP_ID, APP_SECRET, TEMPLATE = "wx-test", "secret of the app", "template-1"
# Who follows the account; and who does not any more.
FOLLOWERS, GONE = {"openid-ann", "openid-bob"}, {"openid-gone"}
FIELDS = {"first", "device", "time", "remark"}


def error(code, message):
    return 200, {"errcode": code, "errmsg": message}


class WeChat:
    def __init__(self):
        self.tokens = 0
        self.messages = 0
        self.current = None

    def spend(self):
        """The token does not count any more, and is still the one that everybody is given."""
        if self.current:
            self.current["spent"] = True

    def call(self, call):
        try:
            body = json.loads(call["body"])
        except ValueError:
            return error(47001, "data format error")
        if call["path"] == "/cgi-bin/stable_token":
            return self.token(body)
        if call["path"] == "/cgi-bin/message/template/send":
            return self.send(dict(call["query"]).get("access_token"), body)
        return 404, "<html>404</html>"

    def token(self, body):
        if body.get("grant_type") != "client_credential":
            return error(40002, "invalid grant_type")
        if body.get("appid") != APP_ID:
            return error(40013, "invalid appid")
        if body.get("secret") != APP_SECRET:
            return error(40125, "invalid appsecret")
        force = body.get("force_refresh", False)
        report("token", {"force": force})
        if self.current is None or force:
            self.tokens += 1
            self.current = {"value": f"token-{self.tokens}", "spent": False}
        return 200, {"access_token": self.current["value"], "expires_in": 7200}

    def send(self, token, body):
        if self.current is None or token != self.current["value"]:
            return error(40001, "invalid credential, access_token is invalid or not latest")
        if self.current["spent"]:
            return error(42001, "access_token expired")
        to, data = body.get("touser"), body.get("data")
        if to in GONE:
            return error(43004, "require subscribe")
        if to not in FOLLOWERS:
            return error(40003, "invalid openid")
        if body.get("template_id") != TEMPLATE:
            return error(40037, "invalid template_id")
        if not isinstance(data, dict) or set(data) != FIELDS or not all(map(well_formed, data.values())):
            return error(47003, "argument invalid!")
        self.messages += 1
        report("taken", {"service": "wechat", "to": to, "data": data, "miniprogram": body.get("miniprogram")})
        return 200, {"errcode": 0, "errmsg": "ok", "msgid": 200228332 + self.messages}


def well_formed(field):
    return isinstance(field.get("value"), str) and re.fullmatch("#[0-9A-F]{6}", field.get("color", ""))
