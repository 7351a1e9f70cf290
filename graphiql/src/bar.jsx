/** The bar above GraphiQL: Vietnamese first, English beside. */
import icon from "./icon.svg";

const NAMES = {
  citizen: ["Công dân", "citizen"],
  officer: ["Hộ tịch", "officer"],
  enforcement_officer: ["Thi hành án", "enforcement"],
  analyst: ["Phân tích", "analyst"],
  partner: ["Công chứng", "partner"],
  auditor: ["Kiểm toán", "auditor"],
  operator: ["Vận hành", "operator"],
  bench: ["Đo tải", "bench"],
};

const Both = ({ vi, en }) => (
  <>
    {vi} <span lang="en">{en}</span>
  </>
);

export const Title = ({ isDemo }) => (
  <h1>
    <img src={icon} alt="" width="34" height="34" />
    <span>
      Cổng tra cứu dữ liệu tư pháp
      <span lang="en">Justice gateway · GraphiQL</span>
    </span>
    {isDemo && (
      <i title="Dữ liệu thử: không có người thật / Synthetic data: nobody here is real">demo</i>
    )}
  </h1>
);

/** Say whose token it is, as far as it says itself. */
function Holder({ token, holder }) {
  if (!token) return null;
  if (!holder.expires) return <span className="wrong">không đọc được · unreadable</span>;
  const time = holder.expires.toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit" });
  if (holder.expires < new Date()) return <span className="wrong">đã hết hạn · expired {time}</span>;
  return (
    <span>
      {holder.agency && `${holder.agency} · `}đến {time}
    </span>
  );
}

export const Fields = ({
  token,
  setToken,
  purpose,
  setPurpose,
  caseNumber,
  setCaseNumber,
  holder,
}) => (
  <div className="fields">
    <label className="token">
      <span>
        <Both vi="Mã truy cập" en="Token" />
        <em>
          <Holder token={token} holder={holder} />
        </em>
      </span>
      <input
        className="secret" // not type="password": browsers offer to save those
        name="token"
        autoComplete="off"
        spellCheck="false"
        value={token}
        onChange={(event) => setToken(event.target.value.trim())}
      />
    </label>
    <label>
      <span>
        <Both vi="Mục đích" en="Purpose" />
      </span>
      <input
        name="purpose"
        list="purposes"
        autoComplete="off"
        value={purpose}
        onChange={(event) => setPurpose(event.target.value.trim())}
      />
      <datalist id="purposes">
        {holder.purposes.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </label>
    <label>
      <span>
        <Both vi="Số hồ sơ" en="Case number" />
      </span>
      <input
        name="case-number"
        autoComplete="off"
        value={caseNumber}
        onChange={(event) => setCaseNumber(event.target.value.trim())}
      />
    </label>
  </div>
);

export const Examples = ({ list, onPick, disabled }) => (
  <nav className="chips" aria-label="Ví dụ / Examples">
    <b>
      <Both vi="Ví dụ" en="Examples" />
    </b>
    {list.map((one) => (
      <button
        key={one.en}
        type="button"
        disabled={disabled}
        data-example={one.en}
        onClick={() => onPick(one)}
      >
        <Both vi={one.vi} en={one.en} />
      </button>
    ))}
  </nav>
);

export const Callers = ({ demo, current, actAs, persona }) => (
  <div className="chips" role="group" aria-label="Vào vai / Act as">
    <b>
      <Both vi="Vào vai" en="Act as" />
    </b>
    {demo.callers.map(({ name }) => {
      const [vi, en] = NAMES[name] ?? [name, ""];
      return (
        <button
          key={name}
          type="button"
          data-caller={name}
          aria-pressed={name === current}
          disabled={name === "citizen" && !demo.citizens[persona]}
          onClick={() => actAs(name)}
        >
          <Both vi={vi} en={en} />
        </button>
      );
    })}
  </div>
);

export const Personas = ({ demo, persona, choosePersona }) => (
  <label className="chips">
    <b>
      <Both vi="Nhân vật" en="Persona" />
    </b>
    <select
      name="persona"
      value={persona}
      title={demo.personas.find((one) => one.id === persona)?.story}
      onChange={(event) => choosePersona(event.target.value)}
    >
      {demo.personas.map(({ id, story }) => (
        <option key={id} value={id}>
          {story.split(" / ")[0]} · {id}
        </option>
      ))}
    </select>
  </label>
);
