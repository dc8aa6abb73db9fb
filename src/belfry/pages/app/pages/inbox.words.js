export const WORDS = {
  en: { title: "Inbox" },
  zh: { title: "收件箱" },
};
