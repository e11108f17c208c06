// Swagger UI in place of the plain page, which is there for who has no JavaScript.
"use strict";

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const followColors = () => document.documentElement.classList.toggle("dark-mode", prefersDark.matches);
prefersDark.addEventListener("change", followColors);
followColors();

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  defaultModelsExpandDepth: 0, // the types are there, folded
  docExpansion: "full",
  displayRequestDuration: true,
  validatorUrl: null, // else it would ask another host
});
