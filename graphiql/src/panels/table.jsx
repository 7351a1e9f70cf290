/** Any list of the answer as a table. */
import { Empty } from "./empty.jsx";

export function Table({ answer }) {
  if (!answer) return <Empty vi="Chưa có câu trả lời." en="No answer yet." />;
  return <Empty vi="Câu trả lời này không có danh sách." en="This answer has no list." />;
}
