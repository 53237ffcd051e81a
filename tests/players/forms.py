"""What a mail says in which form, read as a mail program reads it."""


def forms(mail):
    """Its text, its page, the types of its parts in their order, and what the page brings along."""
    page = mail.get_body(("html",))
    return {
        "text": mail.get_body(("plain",)).get_content(),
        "html": page.get_content() if page else None,
        "types": [part.get_content_type() for part in mail.walk()],
        "inline": [inline(part) for part in mail.walk() if part["content-id"]],
    }


def inline(part):
    return {
        "content_id": part["content-id"].strip("<>"),
        "mime": part.get_content_type(),
        "disposition": part.get_content_disposition(),
        "bytes": list(part.get_content()),
    }
