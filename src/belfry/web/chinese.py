"""What the API says, in Chinese: by the English that stands where it is decided, with names for what is filled in."""
# ruff: noqa: RUF001

__all__ = ["CHINESE"]

TITLES = {
    "Bad request": "请求有误",
    "Bad input": "输入有误",
    "Malformed request": "请求格式有误",
    "Not logged in": "尚未登录",
    "Not allowed": "没有权限",
    "Confirm it is you": "请确认是您本人",
    "Not found": "未找到",
    "Method not allowed": "不支持此方法",
    "Not acceptable": "没有可接受的格式",
    "Conflict": "发生冲突",
    "Request entity too large": "请求正文过大",
    "Unsupported media type": "不支持此内容类型",
    "Too many": "次数过多",
    "Internal server error": "服务器内部错误",
    "Temporarily unavailable": "暂时不可用",
}

WORDS = {  # what other sentences are filled in with
    "a whole number": "整数",
    "a number with decimals": "小数",
    "true or false": "布尔值",
    "text": "文本",
    "a list": "列表",
    "an object": "对象",
    "null": "空值",
    "a date and time": "日期和时间",
    "minute": "分钟",
    "hour": "小时",
    "day-of-month": "日期",
    "month": "月份",
    "day-of-week": "星期",
    "member": "成员",
    "sender": "发送者",
    "admin": "管理员",
    "notification": "通知",
    "schedule": "计划",
    "user": "用户",
    "login": "登录",
    "invitation": "邀请",
    "suppression": "屏蔽记录",
    "cancelled": "取消",
    "tried again": "重试",
}

REQUESTS = {
    "There is nothing at {path}.": "{path} 处没有内容。",
    "{method} is not possible here; the header Allow says what is.": "此处不支持 {method}，可用的方法见 Allow 标头。",
    "The body is larger than 64 KiB.": "请求正文超过 64 KiB。",
    "The body is empty; this route expects JSON.": "请求正文为空，此处需要 JSON。",
    "The body is not UTF-8.": "请求正文不是 UTF-8 编码。",
    "The body is not JSON: {why} (byte {at}).": "请求正文不是有效的 JSON（第 {at} 字节处有误）。",
    "The body is not JSON: {why}.": "请求正文不是有效的 JSON。",
    "The body is nested too deeply.": "请求正文嵌套过深。",
    "The body must be JSON, sent with the content type application/json.": (
        "请求正文必须是 JSON，并以 application/json 为内容类型。"
    ),
    "This route speaks {formats}.": "此处只提供 {formats}。",
    "A stream is opened with GET.": "实时流须用 GET 打开。",
    "The OpenAPI document is at /schema.": "OpenAPI 文档位于 /schema。",
    "This clashes with another request made at the same moment.": "与同时发出的另一个请求冲突。",
    "The database did not answer in time. Nothing is promised; try again.": "数据库未及时响应，未做任何更改，请重试。",
    "Something is wrong with Belfry itself. It was logged.": "Belfry 自身出现错误，已记入日志。",
    "This process is shutting down; connect again.": "此进程正在关闭，请重新连接。",
    "What the workers do cannot be said right now.": "暂时无法得知工作进程的状态。",
    "Who is here cannot be said right now.": "暂时无法得知谁在线。",
    "Alerts cannot be passed on right now; nobody was alerted.": "暂时无法传递提醒，没有人收到提醒。",
}

LIMITS = {
    "That is more than {count} in {minutes} min.": "已超过每 {minutes} 分钟 {count} 次的限制。",
    "Too many people are logging in at this moment.": "目前登录的人过多，请稍后再试。",
    "You have {most} streams open already. Close one, or share one between tabs.": (
        "您已打开 {most} 个实时流。请关闭一个，或让多个标签页共用一个。"
    ),
    "{place} has {most} streams open already.": "{place} 已打开 {most} 个实时流。",
    "You have {most} API keys already. Revoke one that is not used any more.": (
        "您已有 {most} 个 API 密钥。请撤销一个不再使用的密钥。"
    ),
}

LOGINS = {
    "This needs a login: a bearer token or a session cookie.": "需要登录：Bearer 令牌或会话 Cookie。",
    "Expected the header `Authorization: Bearer <token>`.": "需要标头 `Authorization: Bearer <token>`。",
    "The session has ended.": "登录已失效。",
    "The session has ended. Please log in again.": "登录已失效，请重新登录。",
    "The token is not valid, or no longer.": "令牌无效或已失效。",
    "The token's session has ended.": "此令牌的登录已失效。",
    "The ticket is not valid, or no longer. Each opens one stream, once.": (
        "票据无效或已失效。每张票据仅可打开一个实时流，且仅可使用一次。"
    ),
    "The refresh token is not valid, or no longer. Please log in again.": "刷新令牌无效或已失效，请重新登录。",
    "The refresh token had been used before, so its login was ended. Please log in again.": (
        "此刷新令牌曾被使用过，因此该登录已结束。请重新登录。"
    ),
    "There is no such API key, or no longer.": "没有此 API 密钥，或它已失效。",
    "The e-mail address and the password do not belong together.": "邮箱或密码不正确。",
    "The e-mail address and the password do not belong together, or the address is not verified yet.": (
        "邮箱或密码不正确，或邮箱尚未验证。"
    ),
    "Give your password once more: POST /v1/auth/confirm.": "请再次提供密码：POST /v1/auth/confirm。",
    "The account was deleted.": "账户已删除。",
}

RIGHTS = {
    "This needs the role {roles}; yours is {role}.": "需要{roles}角色，您的角色是{role}。",
    "This needs an API key with the scope {scopes}.": "需要权限范围为 {scopes} 的 API 密钥。",
    "This needs the scope {scopes}; it cannot be done with this API key.": (
        "需要权限范围 {scopes}，此 API 密钥无法执行此操作。"
    ),
    "This needs the scope {scopes}; it cannot be done with this token to act as somebody.": (
        "需要权限范围 {scopes}，代他人操作的令牌无法执行此操作。"
    ),
    "This needs a login; it cannot be done with this API key.": "需要登录，此 API 密钥无法执行此操作。",
    "This needs a login; it cannot be done with this token to act as somebody.": (
        "需要登录，代他人操作的令牌无法执行此操作。"
    ),
    "This API key may not be used from {address}.": "此 API 密钥不允许从 {address} 使用。",
    "A request with a session cookie is good only from Belfry's own pages.": (
        "使用会话 Cookie 的请求只能来自 Belfry 自己的页面。"
    ),
    "A member can send only to oneself; sending to others needs the role sender or admin.": (
        "成员只能发给自己；发给他人需要发送者或管理员角色。"
    ),
    "Only admins can tell users apart by role and state.": "只有管理员可以按角色和状态筛选用户。",
    "You have no such schedule; only its owner and admins can do this.": (
        "您没有此计划；只有其所有者和管理员可以执行此操作。"
    ),
    "Nobody can act as an admin.": "不能代管理员操作。",
    "You are not an admin any more.": "您已不再是管理员。",
    "Accounts are made by invitation here. Ask an administrator for one.": "此处仅限受邀注册，请联系管理员。",
    "No accounts are made here. Ask an administrator.": "此处不开放注册，请联系管理员。",
}

THINGS = {
    "There is no such {thing}.": "没有此{thing}。",
    "There is no such API key.": "没有此 API 密钥。",
    "There is no such broadcast.": "没有此广播。",
    "There is no such file.": "没有此文件。",
    "There is no such mail; the oldest are removed as new ones come.": "没有此邮件；新邮件到来时，最旧的会被删除。",
    "There is no such notification in your inbox.": "您的收件箱中没有此通知。",
    "There is no such invitation, or it is not open any more.": "没有此邀请，或它已失效。",
    "You have no such login.": "您没有此登录。",
    "You have no such API key.": "您没有此 API 密钥。",
    "It was removed at this moment.": "它刚刚被删除。",
    "It cannot be {done}: its state is `{state}`.": "无法{done}：其状态为 `{state}`。",
    "It cannot be {done}: its state is `none`, it has arrived and has no e-mail.": (
        "无法{done}：其状态为 `none`，它已送达，且没有邮件。"
    ),
    "It cannot be {done}: its state is `processing`, and the mail server has been given what there is.": (
        "无法{done}：其状态为 `processing`，邮件已全部交给邮件服务器。"
    ),
    "There is an account with this e-mail address already.": "此邮箱已有账户。",
    "There is a schedule with the name {name} already.": "已有名为 {name} 的计划。",
    "This schedule was run at this very moment.": "此计划刚刚运行过。",
    "This is the last admin. Make somebody else an admin first.": "这是最后一位管理员，请先指定其他管理员。",
    "The address is suppressed already.": "该地址已被屏蔽。",
    "Your e-mail address is verified already.": "您的邮箱已验证。",
}

FIELDS = {
    "this field is required": "此项必填",
    "this parameter is required": "此参数必填",
    "this field is not known": "未知字段",
    "must not be empty": "不能为空",
    "must have at least {least} characters": "至少需要 {least} 个字符",
    "must have at most {most} characters": "最多 {most} 个字符",
    "expected at most 100 characters": "最多 100 个字符",
    "must have at least {least} entries": "至少需要 {least} 项",
    "must have at most {most} entries": "最多 {most} 项",
    "must be at least {least}": "不能小于 {least}",
    "must be at most {most}": "不能大于 {most}",
    "the number is too large": "数字过大",
    "expected {expected}, not {given}": "应为{expected}，而不是{given}",
    "is not one of the values this field can have": "不是此项的可用值",
    "is not of the expected form": "格式不正确",
    "contains the character U+0000, which cannot be stored": "含有无法保存的字符 U+0000",
    "expected 0 or 1": "应为 0 或 1",
    "expected one of {names}": "应为以下之一：{names}",
    "expected some of {names}, separated by commas": "应为以下若干项，用逗号分隔：{names}",
    "expected one line of text that is not blank, without control characters": "应为一行非空文本，不含控制字符",
    "expected text without control characters": "应为不含控制字符的文本",
    "expected a word without spaces, commas or control characters": "应为不含空格、逗号和控制字符的词语",
    "expected visible ASCII characters without spaces": "应为可见的 ASCII 字符，不含空格",
    "expected an http:// or https:// address": "应为 http:// 或 https:// 地址",
    "expected an e-mail address": "应为有效的邮箱地址",
    "expected an e-mail address. {why}": "应为有效的邮箱地址",
    "expected a network or an address, such as 192.0.2.0/24 or 2001:db8::7": (
        "应为网络或地址，例如 192.0.2.0/24 或 2001:db8::7"
    ),
    "expected a date and time with its offset from UTC, as in 2026-03-14T18:00:00+01:00": (
        "应为带 UTC 偏移的日期和时间，例如 2026-03-14T18:00:00+01:00"
    ),
    "expected a moment in the years 1 to 9999, in UTC": "应为公元 1 年至 9999 年之间的时间（UTC）",
    "expected a moment in the future": "应为将来的时间",
    "must be after the present moment": "必须晚于当前时间",
    "must be after `send_at`": "必须晚于 `send_at`",
    "must be after `from`": "必须晚于 `from`",
    "must be at most {days} days ahead": "不能晚于 {days} 天之后",
    "expected the name of an IANA time zone, such as Europe/Berlin": "应为 IANA 时区名称，例如 Europe/Berlin",
    "no user has this id or e-mail address": "没有使用此 ID 或邮箱的用户",
    "no user has this e-mail address": "没有使用此邮箱的用户",
    "this is your address already": "这已是您的邮箱",
    "this is not your password": "密码不正确",
    "this is not the password of the account that is to have this address": "这不是将使用此邮箱的账户的密码",
    "this is one of the passwords that are guessed first; choose another": "此密码太容易被猜到，请换一个",
    'this is little more than your e-mail address or "belfry"; choose another': (
        "此密码与您的邮箱或“belfry”过于相似，请换一个"
    ),
    "this link does not work, or not any more; each works once, and for a while": (
        "此链接无效或已失效；每个链接仅可使用一次，且有时限"
    ),
    "this key was already used with another body": "此键已用于内容不同的请求",
    "expected the `next_cursor` of an earlier page": "应为前一页的 `next_cursor`",
    "a page is named by its cursor or by its number, not by both": "只能用游标或页码之一指定页面",
    "the pages of a search are named by their cursors": "搜索结果的页面须用游标指定",
    "expected exactly one of `ids` and `through`": "`ids` 与 `through` 必须且只能提供一个",
    "needs the role {roles}; yours is {role}": "需要{roles}角色，您的角色是{role}",
    "needs the role {roles}; this one's is {role}": "需要{roles}角色，此账户的角色是{role}",
    "this account is disabled": "此账户已停用",
    "name a sender, or set a default one: {setting}": "请指定发送者，或设置默认发送者：{setting}",
    "the {part} is not possible": "{part}无效",
    "no day of the next 50 years is like this": "未来 50 年内没有符合的日期",
    "expected five fields (minute, hour, day of month, month, day of week) or one of {names}": (
        "应为五个字段（分、时、日、月、星期）或以下之一：{names}"
    ),
    "write {braces} for a brace that is no variable": "大括号不表示变量时，请写作 {braces}",
    "has an unknown variable; known are {variables}": "含有未知变量，可用的有 {variables}",
    "must have at most {most} characters with its variables filled in": "填入变量后最多 {most} 个字符",
}

REASONS = {  # kept with runs of schedules and with deliveries, where other words are a mail server's
    "missed; only the newest missed run is sent": "已错过；只发送最近错过的一次",
    "missed; only the newest missed run is sent. Earlier ones than the last {most} are not listed": (
        "已错过；只发送最近错过的一次。仅列出最近 {most} 次，更早的未列出"
    ),
    "{late} s late; its grace is {grace} s": "延误 {late} 秒，宽限为 {grace} 秒",
    "an error of ours; see the worker's log": "内部错误，详见工作进程日志",
    "nobody of its audience is there any more": "收件人均已不存在",
    "{gone} of {all} recipients are gone or disabled": "{all} 位收件人中有 {gone} 位已不存在或已停用",
    "its owner was deleted": "其所有者已被删除",
    "its owner {owner} cannot send: this account is disabled": "其所有者 {owner} 无法发送：账户已停用",
    "its owner {owner} cannot send: needs the role {roles}; this one's is {role}": (
        "其所有者 {owner} 无法发送：需要{roles}角色，该账户的角色是{role}"
    ),
    "cancelled by the sender": "由发送者取消",
    "cancelled by an admin": "由管理员取消",
    "cancelled before it arrived": "送达前已取消",
    "cancelled before all its e-mails were sent": "邮件全部发出前已取消",
    "the broadcast was cancelled": "广播已取消",
    "it was not to be sent after `expires_at`, and was not sent by then": "在 `expires_at` 之前未能发送",
    "its link had been used or made void, or its time was over": "其链接已使用、已失效或已过期",
    "the address is not verified": "邮箱未验证",
    "the recipient's account is disabled": "收件人的账户已停用",
    "the address is suppressed": "该地址已被屏蔽",
    "the recipient has unsubscribed": "收件人已退订",
    "an administrator suppressed the address": "管理员已屏蔽该地址",
    "there is no such mailbox: {said}": "没有此邮箱：{said}",
    "the worker sending it was lost": "发送它的工作进程中断",
    "the server may have taken it; its reply was lost": "邮件服务器可能已接收，但未收到其答复",
    "gave up after {tries} tries; the last: {last}": "尝试 {tries} 次后放弃，最后一次：{last}",
    "connection lost": "连接中断",
    "connection lost: {said}": "连接中断：{said}",
    "connection lost, after the mail was handed over": "邮件交出后连接中断",
    "{said}, after the mail was handed over": "{said}（邮件已交出）",
    "not an SMTP reply: {said}": "不是 SMTP 答复：{said}",
    "more than was asked for": "答复多于所问",
    "the limit of mails a second is used up for a while": "每秒邮件数已达上限，稍后继续",
    "the relay was found unavailable a moment ago": "邮件服务器刚才不可用",
    "no answer to MAIL": "邮件服务器未答复 MAIL",
    "no connection within {seconds} s": "{seconds} 秒内未能连接",
    "not an e-mail address": "不是有效的邮箱地址",
    "the address is not ASCII and the relay does not offer SMTPUTF8": (
        "地址含非 ASCII 字符，而邮件服务器不支持 SMTPUTF8"
    ),
}

AUDIT = {
    "somebody": "某人",
    "a link by mail": "邮件链接",
    "the command line": "命令行",
    "the queue": "队列",
    "the scheduler": "计划任务",
    "no such account": "没有此账户",
    "wrong password": "密码不正确",
    "disabled": "账户已停用",
    "not verified": "邮箱未验证",
    "not a job of ours in JSON; was it enqueued without the job_serializer?": (
        "不是 Belfry 的 JSON 任务；入队时是否未设置 job_serializer？"
    ),
}

CHINESE = TITLES | WORDS | REQUESTS | LIMITS | LOGINS | RIGHTS | THINGS | FIELDS | REASONS | AUDIT
