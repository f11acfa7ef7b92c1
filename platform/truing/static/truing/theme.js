// Sets the theme before the page is painted, and lets a person choose: the system's, light or dark.
(() => {
  const root = document.documentElement;
  const choices = ["system", "light", "dark"];
  const chosen = () => {
    try {
      return localStorage.getItem("theme") || "system";
    } catch {
      return "system"; // storage may be forbidden
    }
  };
  // This runs before the page is there, and again when it is.
  const t = (said, ...values) => (window.truing?.t ?? ((same) => same))(said, ...values);
  const show = (choice) => {
    if (choice === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", choice);
    root.setAttribute("data-theme-choice", choice);
    const name = { system: t("system"), light: t("light"), dark: t("dark") }[choice];
    document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
      button.setAttribute("aria-label", t("Theme: {0}. Change it.", name));
      button.setAttribute("title", t("Theme: {0}", name));
    });
    window.dispatchEvent(new Event("themechange"));
  };
  show(chosen());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(chosen()));
  document.addEventListener("DOMContentLoaded", () => show(chosen()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = choices[(choices.indexOf(chosen()) + 1) % choices.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      // then it holds for this page only
    }
    show(next);
  });
})();
