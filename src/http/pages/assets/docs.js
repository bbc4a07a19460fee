// Starts Swagger UI over the OpenAPI document of this service. A key that is entered stays in the memory of the page.
window.addEventListener("DOMContentLoaded", () => {
  // Swagger UI has a dark scheme, and only a button of a layout that is not used here switches to it.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();
  SwaggerUIBundle({
    url: new URL("openapi.json", location.href).href,
    dom_id: "#reference",
    layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis],
    // The badge would send the address of the document to another service.
    validatorUrl: null,
    persistAuthorization: false,
    queryConfigEnabled: false,
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    requestSnippetsEnabled: true,
    onComplete: () => document.documentElement.setAttribute("data-ready", ""),
  });
});
