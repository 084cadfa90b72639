// The page is complete without this script; it opens what a link leads to, copies code, and marks where the reader is.
(() => {
  "use strict";
  const menu = document.querySelector(".menu");
  if (menu && matchMedia("(max-width: 62rem)").matches) menu.open = false;
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
    let target = null;
    try {
      target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target) return;
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  let opened = [];
  addEventListener("beforeprint", () => {
    // Files are for tools: on paper their names are enough.
    opened = [...document.querySelectorAll("details:not([open]):not(.file)")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
  document.querySelector("aside")?.classList.add("live");
  const links = new Map([...document.querySelectorAll("aside nav > a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting);
    },
    { rootMargin: "-20% 0px -75% 0px" },
  );
  for (const section of document.querySelectorAll("section.chapter")) seen.observe(section);
})();
