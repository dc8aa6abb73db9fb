// The states of an e-mail; `none`: there is none, and it has arrived.

export const WORDS = {
  en: {
    none: "Arrived",
    scheduled: "Scheduled",
    pending: "Waiting",
    processing: "Being sent",
    sent: "Sent",
    failed: "Failed",
    uncertain: "Perhaps sent",
    cancelled: "Cancelled",
    suppressed: "Suppressed",
    expired: "Expired",
  },
  zh: {
    none: "已送达",
    scheduled: "已定时",
    pending: "等待发送",
    processing: "正在发送",
    sent: "已发送",
    failed: "发送失败",
    uncertain: "可能已发送",
    cancelled: "已取消",
    suppressed: "已屏蔽",
    expired: "已过期",
  },
};
