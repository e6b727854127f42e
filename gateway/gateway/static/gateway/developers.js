/* Shows the reference: Swagger UI on the shop's own document, sending to the origin it is looked at from. */

const root = document.documentElement;
const place = document.getElementById("reference");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function dress() {
  const { theme } = root.dataset;
  root.classList.toggle("dark-mode", theme === "dark" || (theme !== "light" && prefersDark.matches));
}
dress();
prefersDark.addEventListener("change", dress);
new MutationObserver(dress).observe(root, { attributeFilter: ["data-theme"] });

async function show() {
  const response = await fetch(place.dataset.document);
  if (!response.ok) throw new Error(`${response.status}`);
  const spec = await response.json();
  // On this machine the shop has several names, and the page may send to the one in its address only.
  spec.servers = [{ url: "/" }];
  window.SwaggerUIBundle({
    spec,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    tryItOutEnabled: true,
    displayRequestDuration: true,
  });
}

show().catch(() => {
  const words = document.createElement("p");
  words.className = "alert wrap";
  words.textContent = "The document cannot be loaded right now. Try again in a moment.";
  place.replaceChildren(words);
});
