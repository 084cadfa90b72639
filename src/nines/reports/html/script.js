// The page is complete without this script; it only adds filters and copying.
(() => {
  "use strict";
  const shown = { tier: "", standing: "" };
  const apply = () => {
    for (const finding of document.querySelectorAll("details.finding")) {
      const fits = ["tier", "standing"].every((k) => !shown[k] || finding.dataset[k] === shown[k]);
      finding.hidden = !fits;
    }
    for (const section of document.querySelectorAll("section.tier")) {
      section.hidden = !section.querySelector("details.finding:not([hidden])");
    }
  };
  for (const button of document.querySelectorAll("button[data-filter]")) {
    button.addEventListener("click", () => {
      const { filter, value } = button.dataset;
      shown[filter] = shown[filter] === value ? "" : value;
      for (const other of document.querySelectorAll(`button[data-filter="${filter}"]`)) {
        other.setAttribute("aria-pressed", String(other.dataset.value === shown[filter]));
      }
      apply();
    });
  }
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const text = button.parentElement.querySelector("code").textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "copied";
      } catch {
        button.textContent = "select and copy";
      }
    });
  }
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
