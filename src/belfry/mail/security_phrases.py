"""What mails about accounts say, in the languages of our readers."""

import msgspec

from belfry.mail.phrases import Phrases
from db.models import MailKind

__all__ = ["Says", "says"]


class Says(msgspec.Struct, frozen=True):
    """`{until}` is when the link stops to work, `{at}` when it happened, and `{inviter}` who invites."""

    title: str
    text: str
    button: str
    note: str


HOPEFULLY_YOU = "Somebody, hopefully you,"
ENGLISH = {
    MailKind.REGISTER: Says(
        "Confirm your e-mail address",
        f"{HOPEFULLY_YOU} wants an account at Belfry with this address. Confirm that it is yours, with the password "
        "that was chosen, and the account is ready.",
        "Confirm and finish",
        "The link works once, until {until}. If it was not you, do nothing, and no account is made.",
    ),
    MailKind.VERIFY: Says(
        "Confirm your e-mail address",
        "Confirm that this is the address of your account at Belfry.",
        "Confirm",
        "The link works once, until {until}. If you have no account there, do nothing: somebody mistook your address "
        "for theirs.",
    ),
    MailKind.ADDRESS: Says(
        "Confirm your new e-mail address",
        "An account at Belfry is to have this address from now on. It does as soon as you confirm it.",
        "Use this address",
        "The link works once, until {until}. If you did not ask for it, do nothing, and nothing changes.",
    ),
    MailKind.RESET: Says(
        "Choose a new password",
        f"{HOPEFULLY_YOU} asked for a new password for your account at Belfry. Choose one with this link; you are then "
        "logged out everywhere.",
        "Choose a password",
        "The link works once, until {until}. If it was not you, do nothing: your password stays as it is.",
    ),
    MailKind.INVITE: Says(
        "You are invited to Belfry",
        "{inviter} invites you to Belfry, where notifications for you are kept, shown as they come, and sent to this "
        "address. Choose a password, and your account is ready.",
        "Accept the invitation",
        "The link works once, until {until}. If you do not want an account, do nothing.",
    ),
    MailKind.EXISTS: Says(
        "You have an account already",
        f"{HOPEFULLY_YOU} wanted to use this address for an account at Belfry. There is one already, and it is yours: "
        "log in as always, or choose a new password there if you have forgotten it.",
        "Open Belfry",
        "If it was not you, do nothing: nothing was changed, and nobody was told that you have an account.",
    ),
    MailKind.PASSWORD_CHANGED: Says(
        "Your password was changed",
        "Your account at Belfry has a new password since {at}. Other logins have ended; API keys, if there are any, "
        "hold until they are revoked.",
        "Open Belfry",
        "If it was not you, say at the login that you have forgotten your password, choose a new one at once, and tell "
        "an administrator.",
    ),
    MailKind.ADDRESS_CHANGED: Says(
        "Your e-mail address was changed",
        "Your account at Belfry has another e-mail address since {at}. Nothing more is sent to this one.",
        "Open Belfry",
        "If it was not you, tell an administrator at once.",
    ),
}
CHINESE = {
    MailKind.REGISTER: Says(
        "确认您的邮箱地址",
        "有人（希望是您本人）想用此邮箱地址注册 Belfry 账户。请输入注册时设置的密码，确认这是您的地址，账户随即可用。",  # noqa: RUF001
        "确认并完成注册",
        "此链接仅可使用一次，有效期至 {until}。如果不是您本人操作，请忽略此邮件，账户将不会创建。",  # noqa: RUF001
    ),
    MailKind.VERIFY: Says(
        "确认您的邮箱地址",
        "请确认这是您的 Belfry 账户的邮箱地址。",
        "确认",
        "此链接仅可使用一次，有效期至 {until}。如果您没有 Belfry 账户，请忽略此邮件：可能是有人误填了您的地址。",  # noqa: RUF001
    ),
    MailKind.ADDRESS: Says(
        "确认您的新邮箱地址",
        "某个 Belfry 账户将改用此邮箱地址，确认后立即生效。",  # noqa: RUF001
        "使用此地址",
        "此链接仅可使用一次，有效期至 {until}。如果不是您本人操作，请忽略此邮件，不会有任何更改。",  # noqa: RUF001
    ),
    MailKind.RESET: Says(
        "设置新密码",
        "有人（希望是您本人）忘记了您的 Belfry 账户密码。您可以通过此链接设置新密码，之后所有设备都会退出登录。",  # noqa: RUF001
        "设置密码",
        "此链接仅可使用一次，有效期至 {until}。如果不是您本人操作，请忽略此邮件，您的密码不会改变。",  # noqa: RUF001
    ),
    MailKind.INVITE: Says(
        "邀请您加入 Belfry",
        "{inviter} 邀请您加入 Belfry。发给您的通知会保存在那里、即时显示，并发送到此邮箱。设置密码后即可使用账户。",  # noqa: RUF001
        "接受邀请",
        "此链接仅可使用一次，有效期至 {until}。如果您不需要账户，请忽略此邮件。",  # noqa: RUF001
    ),
    MailKind.EXISTS: Says(
        "您已有账户",
        "有人（希望是您本人）想将此邮箱地址用于 Belfry 账户，但该地址已有账户，就是您的账户：请照常登录，"  # noqa: RUF001
        "如果忘记了密码，可在登录页设置新密码。",  # noqa: RUF001
        "打开 Belfry",
        "如果不是您本人操作，请忽略此邮件：没有任何更改，也没有人得知您已有账户。",  # noqa: RUF001
    ),
    MailKind.PASSWORD_CHANGED: Says(
        "您的密码已更改",
        "您的 Belfry 账户密码已于 {at} 更改，其他登录均已退出。API 密钥（如有）在撤销之前仍然有效。",  # noqa: RUF001
        "打开 Belfry",
        "如果不是您本人操作，请立即在登录页选择忘记密码并设置新密码，同时告知管理员。",  # noqa: RUF001
    ),
    MailKind.ADDRESS_CHANGED: Says(
        "您的邮箱地址已更改",
        "您的 Belfry 账户已于 {at} 改用其他邮箱地址，此地址不会再收到任何邮件。",  # noqa: RUF001
        "打开 Belfry",
        "如果不是您本人操作，请立即告知管理员。",  # noqa: RUF001
    ),
}
AN_ADMINISTRATOR = {"en": "An administrator", "zh-Hans": "管理员"}


def says(kind: MailKind, words: Phrases, *, until: str, at: str, inviter: str | None) -> Says:
    """A mail of a kind, in the language of `words`."""
    template = (CHINESE if words.code == "zh-Hans" else ENGLISH)[kind]
    given = {"until": until, "at": at, "inviter": inviter or AN_ADMINISTRATOR[words.code]}
    return Says(*(part.format(**given) for part in msgspec.structs.astuple(template)))
