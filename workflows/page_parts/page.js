"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = Object.keys(data.sites);
  const tabs = document.getElementById("tabs"), box = document.getElementById("view");
  const slider = document.getElementById("isovalue"), shown = document.getElementById("shown");
  let viewer = null, surfaces = [], volume = null;

  // The slider runs over two decades about the stated isovalue, which stands in its middle.
  const value = () => data.isovalue * Math.pow(10, (slider.value - 50) / 50);

  function drawSurfaces() {
    shown.textContent = value().toPrecision(2);
    surfaces.forEach((one) => viewer.removeShape(one));
    surfaces = [];
    if (volume) {
      const level = value() * data.per_cubic_angstrom;
      for (const [sign, color] of [[1, data.gain], [-1, data.loss]]) {
        surfaces.push(viewer.addIsosurface(volume, { isoval: sign * level, color, opacity: 0.82, smoothness: 2 }));
      }
    }
    viewer.render();
  }

  function home() {
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    viewer.zoomTo();
    viewer.rotate(-90, "vx");
    viewer.rotate(25, "vy");
    viewer.rotate(12, "vx");
    viewer.render();
  }

  function addCell(cell) {
    const at = (i, j, k) => ({
      x: i * cell[0][0] + j * cell[1][0] + k * cell[2][0],
      y: i * cell[0][1] + j * cell[1][1] + k * cell[2][1],
      z: i * cell[0][2] + j * cell[1][2] + k * cell[2][2],
    });
    for (const i of [0, 1]) for (const j of [0, 1]) {
      viewer.addLine({ start: at(0, i, j), end: at(1, i, j), color: "#888888" });
      viewer.addLine({ start: at(i, 0, j), end: at(i, 1, j), color: "#888888" });
      viewer.addLine({ start: at(i, j, 0), end: at(i, j, 1), color: "#888888" });
    }
  }

  function choose(name) {
    const site = data.sites[name];
    for (const tab of tabs.children) {
      const chosen = tab.dataset.site === name;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
    }
    viewer.clear();
    surfaces = [];
    for (const { position, radius, colour } of site.atoms) {
      const [x, y, z] = position;
      viewer.addSphere({ center: { x, y, z }, radius, color: colour, quality: 3 });
    }
    addCell(site.cell);
    volume = site.cube ? new $3Dmol.VolumeData(site.cube, "cube") : null;
    slider.disabled = !volume;
    box.dataset.site = name;
    home();
    drawSurfaces();
  }

  function start() {
    if (!names.length) { box.textContent = "No structure has been relaxed yet."; return; }
    viewer = $3Dmol.createViewer(box, { backgroundColor: "white", antialias: true, preserveDrawingBuffer: true });
    names.forEach((name) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", "view");
      tab.dataset.site = name;
      tab.textContent = data.sites[name].title;
      tab.addEventListener("click", () => choose(name));
      tabs.append(tab);
    });
    choose(names[0]);
    box.dataset.ready = "yes";
  }

  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const here = [...tabs.children].findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const next = tabs.children[(here + step + names.length) % names.length];
    choose(next.dataset.site);
    next.focus();
  });
  box.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: [-10, "vy"], ArrowRight: [10, "vy"], ArrowUp: [-10, "vx"], ArrowDown: [10, "vx"] }[event.key];
    if (turn) viewer.rotate(...turn);
    else if (event.key === "+" || event.key === "=") viewer.zoom(1.2);
    else if (event.key === "-") viewer.zoom(1 / 1.2);
    else if (event.key.toLowerCase() === "r") home();
    else return;
    event.preventDefault();
    viewer.render();
  });
  let waiting = false;
  slider.addEventListener("input", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawSurfaces(); });
  });
  document.getElementById("home").addEventListener("click", home);
  // After the first paint: the table is there before the 3D view is made.
  requestAnimationFrame(() => setTimeout(start, 0));
})();
