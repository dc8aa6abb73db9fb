export const WORDS = {
  en: {
    title: "Sign in",
    email: "E-mail address",
    password: "Password",
    submit: "Sign in",
    wrong: "The address or the password is wrong.",
    again: "You are not signed in any more. What you did before was kept.",
  },
  zh: {
    title: "登录",
    email: "电子邮箱",
    password: "密码",
    submit: "登录",
    wrong: "邮箱或密码不正确。",
    again: "您的登录已失效，之前的操作已保存。",
  },
};
