/** What the caller may see, and what the document at hand would cost and be denied. */
import { Empty } from "./empty.jsx";

export function Access({ who }) {
  if (!who.token) return <Empty vi="Chưa có mã truy cập." en="No token yet." />;
  return <Empty vi="Chưa có thông tin về quyền." en="Nothing is known about access yet." />;
}
