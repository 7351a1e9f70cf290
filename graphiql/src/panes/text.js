/** Put a text into an editor so that it can be undone. */
export function replaceText(editor, text) {
  const model = editor.getModel();
  if (model.getValue() === text) return;
  model.pushStackElement();
  model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
  model.pushStackElement();
}
