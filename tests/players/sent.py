"""What moto's SNS and SES were given for people, which nothing of their API tells."""

import email
import email.policy

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends

from forms import forms

REGION = "us-east-1"


def everything(left_out):
    """All that was sent, but for what was published to the topic `left_out`."""
    sns = sns_backends[DEFAULT_ACCOUNT_ID][REGION]
    return {
        "sms": [{"to": to, "text": text} for to, text in sns.sms_messages.values()],
        "mails": [mail(message.raw_data) for message in ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages],
        "published": [
            published(topic.name, *notification)
            for topic in sns.topics.values()
            if topic.name != left_out
            for notification in topic.sent_notifications
        ],
    }


def mail(raw):
    message = email.message_from_string(raw, policy=email.policy.default)
    return {
        "message_id": message["Message-ID"],
        "from": message["From"],
        "to": message["To"],
        "subject": message["Subject"],
        **forms(message),
    }


def published(topic, _id, message, subject, attributes, _group):
    attributes = {name: attribute["Value"] for name, attribute in (attributes or {}).items()}
    return {"topic": topic, "message": message, "subject": subject, "attributes": attributes}
