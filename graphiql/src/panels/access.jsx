/** What the caller may see, and what the document at hand would cost and be denied. */
import { useGraphiQL } from "@graphiql/react";
import { Both } from "../both.jsx";
import { signedIn } from "../gateway.js";
import { Empty } from "./empty.jsx";
import { LEVELS, sortScopes } from "./scopes.js";
import { State } from "./states.jsx";
import { usePermits, useTrial } from "./trial.js";

const WAITING = {
  empty: ["Chưa có truy vấn.", "No document yet."],
  syntax: ["Truy vấn chưa đúng cú pháp nên chưa kiểm tra được.", "Not checked: the syntax is not valid yet."],
  schema: ["Truy vấn chưa khớp lược đồ nên chưa kiểm tra được.", "Not checked: it does not fit the schema yet."],
  waiting: ["Đang kiểm tra…", "Checking…"],
};

/** A path that may be broken after its dots. */
const Path = ({ path }) => (
  <code>
    {path.split(".").map((step, index) => (
      <span key={index}>
        {index > 0 && "."}
        <wbr />
        {step}
      </span>
    ))}
  </code>
);

/** Who grants what is missing. */
const Grantors = ({ grantors }) =>
  grantors.length > 0 && (
    <p className="grantors">
      <b>
        <Both vi="Nơi cấp quyền" en="granted by" />
      </b>
      {grantors.map(({ database, owner, contact }) => (
        <span key={database ?? ""}>
          {" "}
          <Both {...owner} />
          {contact && ` · ${contact}`}
        </span>
      ))}
    </p>
  );

const Denials = ({ denied, schema }) => (
  <>
    <p>
      <Both vi={`${denied.length} trường sẽ không có trong câu trả lời:`} en="fields would be null:" />
    </p>
    <ul className="denials">
      {denied.map(({ path, line, state, reasons, grantors }) => (
        <li key={`${path} ${line}`} data-denied={path}>
          <p>
            <Path {...{ path }} />{" "}
            <small>
              dòng {line} <span lang="en">line {line}</span>
            </small>
          </p>
          <p>
            <State {...{ state, schema }} />
          </p>
          {reasons.map((reason) => (
            <p key={reason.en}>
              <Both {...reason} />
            </p>
          ))}
          <Grantors {...{ grantors }} />
        </li>
      ))}
    </ul>
  </>
);

function Cost({ cost }) {
  const { atMost, limit, dependsOnVariables } = cost;
  const over = atMost > limit;
  const number = (value) => value.toLocaleString("vi-VN");
  return (
    <p className={over ? "cost over" : "cost"}>
      <b>
        <Both vi="Chi phí" en="cost" />
      </b>
      <meter min="0" max={limit} value={Math.min(atMost, limit)} aria-hidden="true" />
      <span>
        {number(atMost)} / {number(limit)}
      </span>
      <span>
        {over ? (
          <Both
            vi={dependsOnVariables ? "✕ có thể vượt giới hạn, tùy biến" : "✕ vượt giới hạn"}
            en={dependsOnVariables ? "may exceed the limit, by its variables" : "exceeds the limit"}
          />
        ) : (
          <Both
            vi={dependsOnVariables ? "nhiều nhất, tùy biến" : "nhiều nhất"}
            en={dependsOnVariables ? "at most, by its variables" : "at most"}
          />
        )}
      </span>
    </p>
  );
}

/** What a dry run of the document says. */
function Trial({ result, schema }) {
  const { state, trial, name, error, code } = result;
  if (WAITING[state] && !(state === "waiting" && trial)) {
    const [vi, en] = WAITING[state];
    return <Empty {...{ vi, en }} />;
  }
  if (state === "failed") {
    return (
      <p className="refused">
        <Both
          vi={`Chưa kiểm tra được (${code ?? "?"}). ${error?.extensions?.messageVi ?? ""}`}
          en={`Could not be checked. ${error?.message ?? ""}`}
        />
      </p>
    );
  }
  return (
    <div className={state === "waiting" ? "outdated" : undefined} aria-busy={state === "waiting"}>
      {state === "waiting" && <Empty vi={WAITING.waiting[0]} en={WAITING.waiting[1]} />}
      {name && <p className="operation">{name}</p>}
      {trial.code && (
        <p className="refused" data-refused={trial.code}>
          ✕ <b>{trial.code}</b> <Both {...trial.message} />
        </p>
      )}
      {trial.cost && <Cost cost={trial.cost} />}
      {trial.denied.length > 0 && <Denials denied={trial.denied} {...{ schema }} />}
      {!trial.code && !trial.denied.length && (
        <p className="granted">
          ✓ <Both vi="Không trường nào bị từ chối." en="No field would be denied." />
        </p>
      )}
    </div>
  );
}

function validity(expiresAt) {
  if (!expiresAt) return ["không ghi hạn", "no expiry stated"];
  const until = new Date(expiresAt);
  const minutes = Math.floor((until - new Date()) / 60_000);
  const text = until.toLocaleString("vi-VN", { dateStyle: "short", timeStyle: "short" });
  if (minutes < 0) return [`✕ đã hết hạn ${text}`, "expired"];
  const left = [Math.floor(minutes / 60), minutes % 60];
  return [`đến ${text} (còn ${left[0]} giờ ${left[1]} phút)`, `${left[0]} h ${left[1]} min left`];
}

const Purposes = ({ purposes, stated }) =>
  purposes.length ? (
    <ul className="purposes">
      {purposes.map(({ code, title }) => (
        <li key={code}>
          <code>{code}</code>{" "}
          {title ? <Both {...title} /> : <Both vi="không có thủ tục này" en="no such procedure" />}
          {code === stated && (
            <b className="stated">
              {" "}
              ● <Both vi="đang nêu" en="stated" />
            </b>
          )}
        </li>
      ))}
    </ul>
  ) : (
    <Both vi="không có" en="none" />
  );

function Scopes({ scopes, databases }) {
  const sorted = sortScopes(scopes, databases);
  if (!scopes.length) {
    return (
      <Both vi="Không có phạm vi nào: chỉ gọi được thao tác đã công bố." en="No scope: published operations only." />
    );
  }
  return (
    <ul className="scopes">
      {sorted.databases.map(({ name, title, parts }) => (
        <li key={name} data-opens={name}>
          <b>{title ? <Both {...title} /> : name}</b>
          <ul>
            {parts.map(({ record, title: kind, levels }) => (
              <li key={record ?? ""}>
                {record ? kind ? <Both {...kind} /> : record : <Both vi="mọi loại bản ghi" en="all records" />}
                {": "}
                <Both
                  vi={levels.map((level) => LEVELS[level][0]).join("; ")}
                  en={levels.map((level) => LEVELS[level][1]).join("; ")}
                />
              </li>
            ))}
          </ul>
        </li>
      ))}
      {sorted.others.map(({ scope, words }) => (
        <li key={scope}>
          <code>{scope}</code> {words && <Both vi={words[0]} en={words[1]} />}
        </li>
      ))}
    </ul>
  );
}

/** What the token permits. */
function Permits({ permits, stated }) {
  if (permits.state === "loading") return <Empty vi="Đang hỏi quyền…" en="Asking…" />;
  if (permits.state === "failed") {
    return (
      <p className="refused">
        <Both
          vi={`Chưa biết được quyền của mã truy cập (${permits.code ?? "?"}). ${permits.error?.extensions?.messageVi ?? ""}`}
          en={`What the token permits could not be found out. ${permits.error?.message ?? ""}`}
        />
      </p>
    );
  }
  const { access, databases } = permits;
  const [vi, en] = validity(access.expiresAt);
  return (
    <dl>
      <dt>
        <Both vi="Ứng dụng, cơ quan" en="client, agency" />
      </dt>
      <dd>{[access.client, access.agency].filter(Boolean).join(" · ")}</dd>
      <dt>
        <Both vi="Hiệu lực" en="valid" />
      </dt>
      <dd>
        <Both {...{ vi, en }} />
      </dd>
      <dt>
        <Both vi="Được xem" en="may see" />
      </dt>
      <dd>
        <Scopes scopes={access.scopes} databases={databases} />
        {access.actsForAnother && <p><Both vi="Thay mặt người khác." en="Acts for somebody else." /></p>}
      </dd>
      <dt>
        <Both vi="Mục đích" en="purposes" />
      </dt>
      <dd>
        <Purposes purposes={access.purposes} stated={stated} />
      </dd>
    </dl>
  );
}

export function Access({ who, schema, document }) {
  const selected = useGraphiQL((state) => state.operationName);
  const permits = usePermits(who);
  const isKnown = Boolean(who.token || signedIn);
  const enabled = isKnown && !permits.publishedOnly;
  const result = useTrial({ text: document.query, schema, who, selected, enabled });
  if (!isKnown) return <Empty vi="Chưa có mã truy cập." en="No token yet." />;
  return (
    <div className="access-sheet">
      <section aria-labelledby="access-document">
        <h2 id="access-document">
          <Both vi="Truy vấn đang soạn" en="the document at hand" />
        </h2>
        {permits.publishedOnly ? (
          <Empty
            vi="Mã truy cập này chỉ gọi được thao tác đã công bố, không gửi được truy vấn tự soạn."
            en="This token calls published operations only, and may send no document of its own."
          />
        ) : (
          <div role="status">
            <Trial {...{ result, schema }} />
          </div>
        )}
      </section>
      <section aria-labelledby="access-token">
        <h2 id="access-token">
          <Both vi="Quyền của mã truy cập" en="what the token permits" />
        </h2>
        <Permits {...{ permits }} stated={who.purpose} />
      </section>
    </div>
  );
}
