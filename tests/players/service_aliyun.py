"""Alibaba Cloud's dysmsapi (2017-05-25): SendSms, its signature (version 3) and its codes, as its documents have them."""

import hashlib
import hmac
import json
import re
import time
from datetime import datetime, timezone
from urllib.parse import quote

from control import report

KEY_ID, KEY_SECRET, SIGN_NAME = "LTAI-test", "secret of the key", "天地网"

# The variables of the approved templates.
TEMPLATES = {
    "SMS_190275627": {"code"},
    "SMS_200701321": {"pid", "devName", "event", "name", "DTU", "time"},
    "SMS_200691431": {"name", "DTU", "time", "remind"},
    "SMS_200701342": {"name", "DTU", "pid", "devname", "time", "remind"},
}


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.answer = status, {"Code": code, "Message": message or code, "RequestId": "r"}


class Aliyun:
    def __init__(self, now):
        self.now = now
        self.nonces = set()

    def call(self, call):
        try:
            self.check_signature(call)
            return 200, self.send(dict(call["query"]))
        except Refused as refused:
            return refused.answer

    def check_signature(self, call):
        headers = call["headers"]
        given = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if not given:
            raise Refused(400, "MissingAuthorization")
        key_id, names, signature = given.groups()
        if key_id != KEY_ID:
            raise Refused(404, "InvalidAccessKeyId.NotFound")
        wanted = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}
        if not wanted <= set(names.split(";")) or names != ";".join(sorted(names.split(";"))):
            raise Refused(400, "IncompleteSignature")
        payload = hashlib.sha256(call["body"]).hexdigest()
        if headers["x-acs-content-sha256"] != payload:
            raise Refused(400, "InvalidContentSha256")
        query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(call["query"]))
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
        canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{payload}"
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        expected = hmac.new(KEY_SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise Refused(400, "SignatureDoesNotMatch")
        self.check_once(headers)

    def check_once(self, headers):
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        now = time.time() if self.now is None else self.now / 1000
        if abs(at - now) > 900:
            raise Refused(400, "InvalidTimeStamp.Expired")
        if headers["x-acs-signature-nonce"] in self.nonces:
            raise Refused(400, "SignatureNonceUsed")
        self.nonces.add(headers["x-acs-signature-nonce"])
        if (headers["x-acs-action"], headers["x-acs-version"]) != ("SendSms", "2017-05-25"):
            raise Refused(404, "InvalidAction.NotFound")

    def send(self, given):
        if given.get("SignName") != SIGN_NAME:
            raise Refused(200, "isv.SMS_SIGNATURE_ILLEGAL")
        wanted = TEMPLATES.get(given.get("TemplateCode"))
        if wanted is None:
            raise Refused(200, "isv.SMS_TEMPLATE_ILLEGAL")
        if not re.fullmatch(r"1[3-9]\d{9}|[1-9]\d{6,14}", given.get("PhoneNumbers", "")):
            raise Refused(200, "isv.MOBILE_NUMBER_ILLEGAL")
        try:
            variables = json.loads(given.get("TemplateParam", ""))
        except ValueError:
            raise Refused(200, "isv.INVALID_JSON_PARAM") from None
        if not wanted <= set(variables):
            raise Refused(200, "isv.TEMPLATE_MISSING_PARAMETERS")
        if any(not isinstance(v, str) or not v or len(v) > 35 for v in variables.values()):
            raise Refused(200, "isv.PARAM_LENGTH_LIMIT")
        to, template = given["PhoneNumbers"], given["TemplateCode"]
        letter = {"to": to, "template": template, "variables": variables, "id": given.get("OutId")}
        report("taken", {"service": "aliyun", **letter})
        return {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "r"}
