"""What SQS refuses of a message's contents, and moto takes: characters that XML 1.0 has no place for."""

import json
import re

REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def refused(target, body):
    """Whether a request sends a message with such a character in its body or in an attribute."""
    if not target.startswith("AmazonSQS.SendMessage"):
        return False
    request = json.loads(body)
    return any(REFUSED.search(text) for entry in request.get("Entries", [request]) for text in texts(entry))


def texts(entry):
    yield entry["MessageBody"]
    for attribute in entry.get("MessageAttributes", {}).values():
        yield attribute.get("StringValue", "")
