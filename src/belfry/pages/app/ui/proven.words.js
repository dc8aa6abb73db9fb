export const WORDS = {
  en: {
    title: "Confirm it is you",
    text: "You signed in a while ago. Enter your password to go on.",
    password: "Current password",
    wrong: "This is not your password.",
    continue: "Continue",
    cancel: "Cancel",
  },
  zh: {
    title: "确认是您本人",
    text: "您登录已有一段时间，请输入密码继续。",
    password: "当前密码",
    wrong: "密码不正确。",
    continue: "继续",
    cancel: "取消",
  },
};
