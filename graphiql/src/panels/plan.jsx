/** How the answer came about: waves, databases, fetches. */
import { Empty } from "./empty.jsx";

export function Plan({ answer }) {
  if (!answer) return <Empty vi="Chưa có câu trả lời." en="No answer yet." />;
  return <Empty vi="Câu trả lời này không có kế hoạch." en="This answer has no plan." />;
}
