// What is wrong with a page for somebody who uses it by ear, by keyboard or by thumb. Evaluated in the page itself.
(() => {
  const CONTROLS = "a[href], button, input:not([hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";

  const modal = document.querySelector("dialog:modal");
  const isSeen = (element) =>
    element.checkVisibility({ visibilityProperty: true }) &&
    !element.closest("[aria-hidden=true], [inert]") &&
    (!modal || modal.contains(element));
  const controls = () => [...document.querySelectorAll(CONTROLS)].filter((one) => isSeen(one) && !one.disabled);
  const show = (element) => element.outerHTML.slice(0, 160);

  // The accessible name as far as this page uses it (W3C accname 1.2).
  const nameOf = (element) => {
    const text = (other) => other?.textContent.trim() ?? "";
    const ids = element.getAttribute("aria-labelledby");
    const byOthers = ids && ids.split(" ").map((id) => text(document.getElementById(id))).join(" ");
    const labels = [...(element.labels ?? [])].map(text).join(" ");
    const name = byOthers || element.getAttribute("aria-label") || labels || text(element);
    return (name || element.getAttribute("title") || element.getAttribute("alt") || "").trim();
  };

  // A thumb may as well hit the label of a radio button or a check box.
  const targetOf = (control) =>
    control.matches("input[type=radio], input[type=checkbox]") ? (control.closest("label") ?? control) : control;

  /** Names, roles, labels, ids, headings. */
  function faults() {
    const found = [];
    const fault = (what, element) => found.push(`${what}: ${show(element)}`);

    const [status, ...more] = document.querySelectorAll("[role=status], output");
    if (!status) found.push("no status");
    for (const one of more) fault("a second status", one);

    for (const one of controls()) {
      if (!nameOf(one)) fault("a control without a name", one);
      if (one.tabIndex > 0) fault("a place of its own in the order of Tab", one);
    }
    const names = new Set();
    for (const one of document.querySelectorAll("button, a[href]")) {
      // Steps of a call repeat themselves, in a list whose order says which is which.
      if (!isSeen(one) || one.closest("[data-step]")) continue;
      const name = nameOf(one);
      if (names.has(name)) fault(`two controls named "${name}"`, one);
      names.add(name);
    }
    for (const one of document.querySelectorAll("img, svg, video")) {
      if (isSeen(one) && !nameOf(one) && one.getAttribute("role") !== "presentation") fault("a picture without a name", one);
    }

    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`the id ${id} twice`);
    for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
      for (const one of document.querySelectorAll(`[${attribute}]`)) {
        const missing = one.getAttribute(attribute).split(" ").filter((id) => !document.getElementById(id));
        if (missing.length) fault(`${attribute} points to nothing`, one);
      }
    }

    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(isSeen).map((one) => Number(one.tagName[1]));
    if (levels.some((level, at) => at > 0 && level > levels[at - 1] + 1)) found.push(`headings jump: ${levels}`);
    if (document.querySelectorAll("main").length !== 1) found.push("not one main");
    if (!document.documentElement.lang) found.push("no language");
    if (!document.title) found.push("no title");
    return found;
  }

  /** Controls that a thumb misses. */
  function tooSmall(least) {
    return controls().flatMap((one) => {
      if (one.matches(".skip")) return [];
      const { width, height } = targetOf(one).getBoundingClientRect();
      const isSmall = width + 0.5 < least || height + 0.5 < least;
      return isSmall ? [`${Math.round(width)} x ${Math.round(height)}: ${nameOf(one)} ${show(one)}`] : [];
    });
  }

  /** Controls that lie under something else, even scrolled to. */
  function outOfReach() {
    return controls().flatMap((one) => {
      if (one.matches(".skip")) return [];
      one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      const target = targetOf(one);
      const { left, top, width, height } = target.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      return target.contains(hit) ? [] : [`${nameOf(one)} under ${hit ? show(hit) : "the edge"}`];
    });
  }

  /** What makes the page scroll sideways. */
  function tooWide() {
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth <= clientWidth) return [];
    const all = [...document.querySelectorAll("body *")];
    return all.filter((one) => one.getBoundingClientRect().right > clientWidth + 1).map(show);
  }

  return { faults, tooSmall, outOfReach, tooWide };
})()
