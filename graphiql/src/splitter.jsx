/** The line between two parts of the page, moved by pointer or by arrow keys. */
import { useRemembered } from "./storage.js";

const STEP = 4;
const [LEAST, MOST] = [15, 85];
const within = (percent) => Math.min(Math.max(Math.round(percent), LEAST), MOST);

/** Return [percent of the first part, properties of its Splitter]; remembered under `name`. */
export function useSplit(name, initial) {
  const [share, setShare] = useRemembered(name, String(initial));
  return [Number(share), { value: Number(share), onMove: (next) => setShare(String(within(next))) }];
}

/** `vertical`: the line is vertical, so that it is moved sideways. */
export function Splitter({ value, onMove, vertical, label }) {
  const drag = (event) => {
    const bar = event.currentTarget;
    const whole = bar.parentElement.getBoundingClientRect();
    bar.setPointerCapture(event.pointerId);
    bar.onpointermove = ({ clientX, clientY }) =>
      onMove(
        vertical
          ? ((clientX - whole.left) / whole.width) * 100
          : ((clientY - whole.top) / whole.height) * 100,
      );
    bar.onpointerup = () => {
      bar.onpointermove = null;
    };
  };
  const press = ({ key }) => {
    const step = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP }[key];
    if (step) onMove(value + step);
  };
  return (
    <div
      className={`splitter ${vertical ? "vertical" : "horizontal"}`}
      role="separator"
      tabIndex="0"
      aria-orientation={vertical ? "vertical" : "horizontal"}
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      onPointerDown={drag}
      onKeyDown={press}
    />
  );
}
