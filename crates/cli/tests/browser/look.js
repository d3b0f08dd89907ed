// What is on a page for those who look for it: the controls that can be seen, and the name that each has.
const tidy = (text) => text.replace(/\s+/g, " ").trim();
// A key that stands beside a name is not part of it, nor is what a label holds besides its words.
const words_of = (element) => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll("kbd,input,select,textarea").forEach((inner) => inner.remove());
  return copy.textContent;
};
const labels_of = (control) => {
  const ids = (control.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
  return [...ids.map((id) => document.getElementById(id)).filter(Boolean), ...(control.labels ?? [])];
};
const name_of = (control) => tidy(
  control.ariaLabel || labels_of(control).map(words_of).join(" ") ||
  (control.matches("a,button,summary") ? words_of(control) : "") ||
  (control.matches("[type=submit],[type=button]") ? control.value : ""));
const controls = () => [...document.querySelectorAll("a[href],button,input,select,textarea,summary")]
  .filter((control) => control.type !== "hidden" && control.checkVisibility());
const named = (name) => controls().filter((control) => name_of(control) === name);
