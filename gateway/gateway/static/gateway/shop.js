/* What makes the shop's pages nicer where scripts run. Every flow works without this file. */

const root = document.documentElement;
root.classList.add("has-script");

function announce(words) {
  const region = document.getElementById("announcer");
  if (!region || !words) return;
  region.textContent = "";
  // A region that is emptied and filled in one go is not read again when the words are the same.
  requestAnimationFrame(() => { region.textContent = words; });
}

function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

/* htmx: the token of the page's forms on what changes something; words of what was swapped in; focus stays. */
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!/^(GET|HEAD)$/i.test(ctx.request.method)) ctx.request.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("[data-announce]").forEach((element) => {
    announce(element.dataset.announce);
    element.removeAttribute("data-announce");
  });
  dress();
});

/* A whole page came where a part was asked for (an error, a log-in): it is shown as the page that it is. */
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (!/^\s*<!doctype/i.test(ctx.text)) return;
  event.preventDefault();
  if (ctx.sourceEvent?.type !== "every") location.assign(ctx.response.raw.url || ctx.request.action);
});

/* What asks again by itself rests while it is paused, or while nobody looks. */
document.addEventListener("htmx:before:request", (event) => {
  const isPaused = document.querySelector("[data-pause][aria-pressed=true]") || document.hidden;
  if (event.detail.ctx.sourceEvent?.type === "every" && isPaused) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pause]");
  if (!button) return;
  const isPaused = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(isPaused));
  document.querySelector("[data-every]").textContent = isPaused ? "Paused." : "Asked again every 15 seconds.";
});

/* A choice that was made before htmx listened is sent now. */
function catchUp() {
  const isOfPage = (input) => (input.options
    ? [...input.options].every((option) => option.selected === option.defaultSelected)
    : input.checked === input.defaultChecked);
  document.querySelectorAll("form.picker").forEach((form) => {
    if (![...form.querySelectorAll("input, select")].every(isOfPage)) form.requestSubmit();
  });
}
document.addEventListener("DOMContentLoaded", catchUp);

/* The picker is replaced as a whole: the option in hand gets its focus back. */
let inHand = "";
document.addEventListener("htmx:before:swap", () => {
  inHand = document.activeElement?.closest("form") ? document.activeElement.id : "";
});
function keepFocus() {
  if (inHand && (!document.activeElement || document.activeElement === document.body)) {
    document.getElementById(inHand)?.focus({ preventScroll: true });
  }
  inHand = "";
}
document.addEventListener("htmx:after:swap", keepFocus);

/* Theme, without loading the page anew. The form does the same by itself. */
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  root.dataset.theme = theme;
  document.querySelectorAll("[data-theme-form] button").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.value === theme));
  });
  announce(`${event.submitter.textContent.trim()} theme`);
  const body = new URLSearchParams(new FormData(form, event.submitter));
  await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => form.submit());
});

/* Menus close when one looks elsewhere. */
function closeMenus(except) {
  document.querySelectorAll("details.dropdown[open]").forEach((menu) => {
    if (!menu.contains(except)) menu.open = false;
  });
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.dropdown[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* Forms that send themselves when a choice changes. */
document.addEventListener("change", (event) => {
  if (event.target.form?.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

/* Gallery: thumbnails scroll the view, the view marks its thumbnail, a picture opens in full size. */
function watchGallery(gallery) {
  const view = gallery.querySelector(".gallery-view");
  const thumbs = [...gallery.querySelectorAll(".thumbs a")];
  if (!view || !thumbs.length) return;
  const watcher = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      thumbs.forEach((thumb) => {
        if (thumb.hash === `#${entry.target.id}`) thumb.setAttribute("aria-current", "true");
        else thumb.removeAttribute("aria-current");
      });
    });
  }, { root: view, threshold: 0.6 });
  [...view.children].forEach((slide) => watcher.observe(slide));
}
document.addEventListener("click", (event) => {
  const thumb = event.target.closest(".thumbs a");
  if (thumb) {
    event.preventDefault();
    const slide = document.getElementById(thumb.hash.slice(1));
    slide.parentElement.scrollTo({ left: slide.offsetLeft - slide.parentElement.offsetLeft });
    return;
  }
  const link = event.target.closest("[data-zoom]");
  const dialog = document.getElementById("zoom");
  if (!link || !dialog?.showModal || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const shown = link.parentElement.querySelector("img");
  const picture = new Image();
  picture.alt = shown.alt;
  picture.sizes = "100vw";
  picture.srcset = shown.srcset;
  picture.src = link.href;
  dialog.querySelector("img")?.remove();
  dialog.append(picture);
  dialog.showModal();
});
document.addEventListener("click", (event) => {
  if (event.target.matches("dialog, dialog > img")) event.target.closest("dialog").close();
});

/* Rails: a step is what is in view. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  if (!button) return;
  const rail = document.getElementById(button.parentElement.dataset.railButtons);
  rail.scrollBy({ left: Number(button.dataset.step) * rail.clientWidth });
});

/* Show more: the next page's cards come after those in view; the address and the way back stay. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-load-more]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const cards = [...page.querySelectorAll("#page-of-cards > li")];
    const grid = document.getElementById("page-of-cards");
    grid.append(...cards);
    document.querySelectorAll("[data-count]").forEach((count) => {
      count.textContent = `${grid.children.length} products shown`;
    });
    const next = page.querySelector("[data-load-more]");
    link.removeAttribute("aria-busy");
    cards[0]?.querySelector("a")?.focus({ preventScroll: true });
    announce(`${cards.length} more products`);
    if (next) link.href = next.href;
    else link.closest(".load-more").remove();
  } catch {
    location.assign(link.href);
  }
});

/* Passwords can be looked at. */
function showPasswords() {
  document.querySelectorAll("input[type=password]:not([data-dressed])").forEach((input) => {
    input.dataset.dressed = "";
    const frame = document.createElement("div");
    frame.className = "password";
    input.replaceWith(frame);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show";
    button.setAttribute("aria-label", "Show the password");
    button.addEventListener("click", () => {
      const isHidden = input.type === "password";
      input.type = isHidden ? "text" : "password";
      button.textContent = isHidden ? "Hide" : "Show";
      button.setAttribute("aria-label", isHidden ? "Hide the password" : "Show the password");
    });
    frame.append(input, button);
  });
}

function dress() {
  document.querySelectorAll("[data-gallery]:not([data-dressed])").forEach((gallery) => {
    gallery.dataset.dressed = "";
    watchGallery(gallery);
  });
  document.querySelectorAll("[data-rail-buttons]").forEach((buttons) => {
    const rail = document.getElementById(buttons.dataset.railButtons);
    buttons.hidden = rail.scrollWidth <= rail.clientWidth + 1;
  });
  document.querySelectorAll("[data-pause], [data-every]").forEach((element) => { element.hidden = false; });
  showPasswords();
}

dress();
const field = document.querySelector("input[data-focus]");
if (field && !field.value) field.focus({ preventScroll: true });
