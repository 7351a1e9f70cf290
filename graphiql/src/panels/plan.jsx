/** How the answer came about: waves, databases, reads, and where the time went. */
import { Both } from "../both.jsx";
import { claims } from "../gateway.js";
import { Drawing } from "./drawing.jsx";
import { Empty } from "./empty.jsx";
import { cacheOf, endOf, formOf, ms, nameOf, rowsOf } from "./words.js";

const PHASES = [
  ["prepareMilliseconds", "Lập kế hoạch", "planning"],
  ["readMilliseconds", "Tra CSDL, bộ đệm", "databases, cache"],
  ["gatewayMilliseconds", "Xác định số, bảo vệ", "numbers, protection"],
  ["shapeMilliseconds", "Dựng câu trả lời", "shaping"],
];

/** Where the time went. */
const Phases = ({ execution }) => (
  <table className="phases">
    <caption>
      <Both vi="Tổng thời gian" en="time in all" /> <b>{ms(execution.milliseconds)}</b>
    </caption>
    <tbody>
      {PHASES.map(([key, vi, en]) => (
        <tr key={key}>
          <th scope="row">
            <Both {...{ vi, en }} />
          </th>
          <td>
            <meter min="0" max={execution.milliseconds || 1} value={execution[key]} aria-hidden="true" />
          </td>
          <td>{ms(execution[key])}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const HEADS = [
  ["Đợt", "wave"],
  ["Cơ sở dữ liệu", "database"],
  ["Tra cứu", "read"],
  ["Kết quả", "end"],
  ["Khóa", "keys"],
  ["Bộ đệm", "cache"],
  ["Dòng", "rows"],
  ["Dạng", "form"],
  ["Chờ", "wait"],
  ["CSDL", "database"],
  ["Vị trí", "path"],
];

function Row({ fetch }) {
  const end = endOf(fetch);
  const cache = cacheOf(fetch);
  const [name, nameEn] = nameOf(fetch);
  const [rows, rowsEn] = rowsOf(fetch);
  const form = formOf(fetch);
  return (
    <tr className={`ends-${end.look}`}>
      <td>{fetch.wave}</td>
      <td>{fetch.database}</td>
      <th scope="row" className={nameEn ? undefined : "code"}>
        <Both vi={name} en={nameEn} />
      </th>
      <td>
        {end.sign} <Both {...end} />
        {fetch.missing?.map((missing) => (
          <code key={missing}>{missing}</code>
        ))}
      </td>
      <td>{fetch.keys || ""}</td>
      <td>{cache && <Both {...cache} />}</td>
      <td>
        <Both vi={rows} en={rowsEn} />
      </td>
      <td>{form && <Both vi={form[0]} en={form[1] === form[0] ? "" : form[1]} />}</td>
      <td>{ms(fetch.waitMilliseconds)}</td>
      <td>{ms(fetch.databaseMilliseconds)}</td>
      <td>
        {fetch.paths.map((path) => (
          <code key={path}>{path}</code>
        ))}
      </td>
    </tr>
  );
}

const Reads = ({ fetches }) => (
  <div className="scroll reads" tabIndex={0} role="region" aria-label="Bảng các lần tra cứu / Table of reads">
    <table>
      <thead>
        <tr>
          {HEADS.map(([vi, en]) => (
            <th key={vi} scope="col">
              <Both {...{ vi, en }} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {fetches
          .toSorted((a, b) => a.wave - b.wave)
          .map((fetch, index) => (
            <Row key={index} {...{ fetch }} />
          ))}
      </tbody>
    </table>
  </div>
);

/** Say why there is no plan: what is missing, or what kind of answer has none. */
function WithoutPlan({ answer, request, who }) {
  const { token } = request?.who ?? who;
  if (token && !claims(token).scopes.includes("plans")) {
    return (
      <Empty
        vi="Mã truy cập này thiếu phạm vi plans nên không xem được kế hoạch. Đơn vị vận hành cổng tra cứu cấp phạm vi này."
        en="This token lacks the scope plans, which shows what an operation read and how long it took. The operator of this gateway grants it."
      />
    );
  }
  if (!answer.data) {
    const codes = (answer.errors ?? []).map((error) => error.extensions?.code).filter(Boolean);
    return (
      <Empty
        vi={`Yêu cầu bị từ chối (${codes.join(", ") || "?"}): không có gì được tra cứu.`}
        en="The request was refused: nothing was read."
      />
    );
  }
  if (!token) {
    return (
      <Empty
        vi="Không có kế hoạch: truy vấn không về người nào, hoặc người gọi thiếu phạm vi plans, do đơn vị vận hành cổng cấp."
        en="There is no plan: the answer is about nobody, or the caller lacks the scope plans, which the operator of this gateway grants."
      />
    );
  }
  return (
    <Empty
      vi="Câu trả lời này không về người nào, nên không có kế hoạch."
      en="This answer is about nobody, and has no plan."
    />
  );
}

export function Plan({ answer, request, who, schema }) {
  if (!answer) return <Empty vi="Chưa có câu trả lời." en="No answer yet." />;
  const { execution, plan } = answer.extensions ?? {};
  if (!plan) return <WithoutPlan {...{ answer, request, who }} />;
  return (
    <div className="plan-sheet">
      {execution && <Phases {...{ execution }} />}
      {execution?.fetches.length > 0 && <Drawing {...{ execution, schema }} />}
      {execution && !execution.fetches.length && (
        <Empty vi="Không cần tra cứu gì." en="Nothing had to be read." />
      )}
      {!execution && (
        <Empty
          vi="Câu trả lời được lập từng trường một, không theo kế hoạch."
          en="This was answered field by field, without a plan."
        />
      )}
      {execution?.fetches.length > 0 && <Reads fetches={execution.fetches} />}
      <details>
        <summary>
          <Both vi="Kế hoạch bằng chữ" en="The plan as text" />
        </summary>
        <pre tabIndex={0} lang="en">
          {plan.join("\n")}
        </pre>
      </details>
    </div>
  );
}
