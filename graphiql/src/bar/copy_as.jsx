/** The request at hand as a text that runs elsewhere. */
import { tryParseJSONC, useOperationsEditorState, useVariablesEditorState } from "@graphiql/react";
import { useRef, useState } from "react";
import { Both } from "../both.jsx";
import { LANGUAGES, TOKEN } from "../copy.js";
import { signedIn } from "../gateway.js";
import { Menu } from "./menu.jsx";

function Texts({ who, operationName, publishedAs }) {
  const [query] = useOperationsEditorState();
  const [variablesText] = useVariablesEditorState();
  const [language, setLanguage] = useState("curl");
  const [copied, setCopied] = useState(null);
  let text;
  try {
    const variables = tryParseJSONC(variablesText) ?? {};
    const caller = { ...who, token: who.token || signedIn }; // elsewhere a session is a token
    const request = { query, variables, operationName, who: caller, documentId: publishedAs(query) };
    text = LANGUAGES[language](request, `${location.origin}/graphql`);
  } catch {
    return (
      <p className="note">
        <Both vi="Biến không phải JSON hợp lệ." en="The variables are no valid JSON." />
      </p>
    );
  }
  const place = useRef(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(text);
    } catch {
      // Without HTTPS browsers have no clipboard but that of the selection.
      place.current.select();
      if (document.execCommand("copy")) setCopied(text);
    }
  };
  return (
    <>
      <div className="chips" role="group" aria-label="Ngôn ngữ / Language">
        {Object.keys(LANGUAGES).map((name) => (
          <button
            key={name}
            type="button"
            data-language={name}
            aria-pressed={name === language}
            onClick={() => setLanguage(name)}
          >
            {name}
          </button>
        ))}
        <button type="button" className="go" onClick={copy}>
          {copied === text ? <Both vi="Đã chép" en="Copied" /> : <Both vi="Chép" en="Copy" />}
        </button>
      </div>
      <textarea
        ref={place}
        readOnly
        className="code"
        name="copy-as"
        aria-label={`${language}: yêu cầu / request`}
        spellCheck="false"
        value={text}
        onFocus={(event) => event.target.select()}
      />
      <p className="note">
        <Both
          vi={`Mã truy cập không được chép: đặt nó vào biến môi trường ${TOKEN}. Biến của truy vấn được chép, kể cả số định danh.`}
          en={`The token is not copied: put it into the environment variable ${TOKEN}. The variables are, numbers of persons among them.`}
        />
      </p>
    </>
  );
}

export function CopyAs(properties) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Menu
      id="copy-as"
      label={<Both vi="Chép thành" en="Copy as" />}
      wide
      onOpen={() => setOpen(true)}
    >
      {isOpen && <Texts {...properties} />}
    </Menu>
  );
}
