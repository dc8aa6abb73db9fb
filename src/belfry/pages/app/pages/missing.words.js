export const WORDS = {
  en: { title: "Nothing here", text: "This page does not exist, or is not for you.", home: "To the inbox" },
  zh: { title: "这里没有内容", text: "此页面不存在，或您无权查看。", home: "返回收件箱" },
};
