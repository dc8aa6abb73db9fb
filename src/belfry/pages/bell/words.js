// What we say ourselves, in the languages of our readers.

const ENGLISH = {
  lang: "en",
  title: "Notifications",
  bell: (n) => (n ? `Notifications, ${n} unread` : "Notifications"),
  unreadCount: (n) => (n ? `${n} unread` : "All read"),
  all: "All",
  unread: "Unread",
  broadcasts: "Broadcasts",
  markAll: "Mark all read",
  close: "Close",
  isUnread: "Unread.",
  toEveryone: "To everyone",
  urgent: "Urgent",
  untitled: "Without a title",
  markRead: (title) => `Mark as read: ${title}`,
  markUnread: (title) => `Mark as unread: ${title}`,
  remove: (title) => `Delete: ${title}`,
  removed: "Deleted",
  undo: "Undo",
  arrived: (title) => `New notification: ${title}`,
  loading: "Loading",
  empty: {
    all: ["All quiet", "When something happens, the bell rings here."],
    unread: ["Nothing unread", "You have seen it all."],
    broadcasts: ["No broadcasts", "Messages to everyone stand here."],
  },
  offline: "Offline. Will catch up.",
  signedOut: ["Not logged in", "Log in again to see your notifications."],
  failed: ["Out of reach", "What is here cannot be loaded just now."],
  retry: "Try again",
  refused: "That was refused.",
  offer: "Show alerts on your desktop?",
  allow: "Turn on",
  later: "Not now",
  denied: "Desktop alerts are blocked in the settings of this browser.",
  insecure: "Desktop alerts need https.",
  missed: (n) => `${n} new notifications`,
  now: "now",
};

const CHINESE = {
  lang: "zh-Hans",
  title: "通知",
  bell: (n) => (n ? `通知，${n} 条未读` : "通知"),
  unreadCount: (n) => (n ? `${n} 条未读` : "全部已读"),
  all: "全部",
  unread: "未读",
  broadcasts: "广播",
  markAll: "全部标为已读",
  close: "关闭",
  isUnread: "未读。",
  toEveryone: "发给所有人",
  urgent: "紧急",
  untitled: "无标题",
  markRead: (title) => `标为已读：${title}`,
  markUnread: (title) => `标为未读：${title}`,
  remove: (title) => `删除：${title}`,
  removed: "已删除",
  undo: "撤销",
  arrived: (title) => `新通知：${title}`,
  loading: "正在加载",
  empty: {
    all: ["一切安静", "有新消息时，铃声会在这里响起。"],
    unread: ["没有未读通知", "您已全部看过。"],
    broadcasts: ["暂无广播", "发给所有人的消息会显示在这里。"],
  },
  offline: "已离线，恢复后会自动同步。",
  signedOut: ["尚未登录", "请重新登录以查看通知。"],
  failed: ["暂时无法连接", "目前无法加载通知。"],
  retry: "重试",
  refused: "操作被拒绝。",
  offer: "在桌面显示提醒？",
  allow: "开启",
  later: "以后再说",
  denied: "此浏览器的设置已阻止桌面提醒。",
  insecure: "桌面提醒需要 https。",
  missed: (n) => `${n} 条新通知`,
  now: "刚刚",
};

/** The words of a language (BCP 47), or English. */
export function wordsOf(lang) {
  return /^zh\b/i.test(lang) ? CHINESE : ENGLISH;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago, as people say it; after a week the date. */
export function ago(moment, words) {
  const seconds = (Date.now() - moment) / 1000;
  if (seconds > 7 * 86_400) {
    const thisYear = moment.getFullYear() === new Date().getFullYear();
    const style = { day: "numeric", month: "short", ...(!thisYear && { year: "numeric" }) };
    return new Intl.DateTimeFormat(words.lang, style).format(moment);
  }
  for (const [unit, size] of UNITS) {
    if (seconds >= size) {
      const style = { numeric: "auto", style: words.lang === "en" ? "narrow" : "long" };
      return new Intl.RelativeTimeFormat(words.lang, style).format(-Math.floor(seconds / size), unit);
    }
  }
  return words.now;
}

/** A moment in full. */
export function inFull(moment, words) {
  return new Intl.DateTimeFormat(words.lang, { dateStyle: "full", timeStyle: "short" }).format(moment);
}
