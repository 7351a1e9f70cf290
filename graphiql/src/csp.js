/**
 * Lets Monaco live under a Content-Security-Policy without 'unsafe-inline'.
 *
 * Monaco makes <style> elements, which need the response's nonce, and inserts markup with style
 * attributes, which no nonce allows: those are set through the CSS object model instead.
 */
const { nonce } = document.querySelector("meta[property=csp-nonce]");

const createElement = document.createElement;
document.createElement = function (name, options) {
  const element = createElement.call(this, name, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
};

const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name.toLowerCase() === "style" && this.style) this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

const KEPT = "data-style-kept";
const withoutStyles = (html) =>
  String(html).replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle=/gi, ` ${KEPT}=`));
const restoreStyles = (root) => {
  for (const element of root.querySelectorAll(`[${KEPT}]`)) {
    element.style.cssText = element.getAttribute(KEPT);
    element.removeAttribute(KEPT);
  }
};

const innerHTML = Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML");
Object.defineProperty(Element.prototype, "innerHTML", {
  ...innerHTML,
  set(html) {
    innerHTML.set.call(this, withoutStyles(html));
    restoreStyles(this);
  },
});

const insertAdjacentHTML = Element.prototype.insertAdjacentHTML;
Element.prototype.insertAdjacentHTML = function (position, html) {
  insertAdjacentHTML.call(this, position, withoutStyles(html));
  restoreStyles(this.parentElement ?? this);
};
