// What a page must not be, for people who do not see it or use no mouse.
const faults = [];
const all = (what) => [...document.querySelectorAll(what)];
const must = (holds, why) => holds || faults.push(why);
must(all("h1").length === 1, "not one heading of the first level");
must(all("main").length === 1, "not one main part");
must(document.documentElement.lang, "no language");
must(tidy(document.title), "no title");
controls().forEach((control) => must(name_of(control), `without a name: ${control.outerHTML}`));
all("[tabindex]").forEach((control) => must(control.tabIndex <= 0, `out of turn: ${control.outerHTML}`));
all("img").forEach((image) => must(image.hasAttribute("alt"), `without words: ${image.outerHTML}`));
all("table").forEach((table) => must(table.caption && table.querySelector("th[scope]"), "a table without headings"));
all("fieldset").forEach((group) => must(group.querySelector("legend"), "a group without a legend"));
const ids = all("[id]").map((element) => element.id);
ids.forEach((id, place) => must(ids.indexOf(id) === place, `twice: #${id}`));
for (const what of ["aria-labelledby", "for", "aria-describedby"]) {
  all(`[${what}]`).forEach((element) => element.getAttribute(what).split(" ").forEach(
    (id) => must(document.getElementById(id), `${what} names nothing: ${id}`)));
}
const levels = all("h1,h2,h3,h4,h5,h6").map((heading) => Number(heading.tagName[1]));
levels.forEach((level, place) => must(level <= (levels[place - 1] ?? 0) + 1, `a heading of level ${level} too early`));
return faults;
