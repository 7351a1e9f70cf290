/** Examples by role, and the operations that are published for the caller. */
import { Both } from "../both.jsx";
import { ROLES } from "../examples.js";
import { Menu } from "./menu.jsx";

function Group({ vi, en, children }) {
  return (
    <section>
      <h2>
        <Both vi={vi} en={en} />
      </h2>
      <div className="picks">{children}</div>
    </section>
  );
}

const Published = ({ published, pick }) => {
  if (published === undefined) return <p className="note">…</p>;
  if (published === null) {
    return (
      <p className="note">
        <Both
          vi="Chưa biết: không đọc được danh mục với mã truy cập này."
          en="Not known: the catalogue cannot be read with this token."
        />
      </p>
    );
  }
  if (published.length === 0) {
    return (
      <p className="note">
        <Both vi="Không có thao tác nào cho ứng dụng này." en="None is published for this client." />
      </p>
    );
  }
  return published.map((operation) => (
    <button
      key={operation.name}
      type="button"
      data-published={operation.name}
      title={operation.owner}
      onClick={() => pick(operation)}
    >
      <Both vi={operation.vi} en={operation.en} />
    </button>
  ));
};

export const Samples = ({ list, published, onOpen, onPick, isReady }) => (
  <Menu
    id="samples"
    label={<Both vi="Mẫu" en="Examples" />}
    wide
    onOpen={onOpen}
  >
    {(close) => {
      const pick = (sample) => {
        if (!isReady) return;
        onPick(sample);
        close();
      };
      return (
        <>
          {Object.entries(ROLES).map(([role, words]) => {
            const examples = list.filter((example) => example.role === role);
            return (
              examples.length > 0 && (
                <Group key={role} {...words}>
                  {examples.map((example) => (
                    <button
                      key={example.en}
                      type="button"
                      data-example={example.en}
                      onClick={() => pick(example)}
                    >
                      <Both vi={example.vi} en={example.en} />
                    </button>
                  ))}
                </Group>
              )
            );
          })}
          <Group vi="Thao tác công bố cho người gọi này" en="Published for this caller">
            <Published {...{ published, pick }} />
          </Group>
        </>
      );
    }}
  </Menu>
);
