// The 3D view: one site at a time; its isosurfaces are traced here, whenever the slider moves.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const slider = $("isovalue");
  let viewer = null, site = null, values = null, surfaces = [], waiting = false;
  document.documentElement.classList.add("js");

  // value of the slider -1..1 -> isovalue, evenly in its logarithm
  const isovalue = () => data.isovalue * data.reach ** Number(slider.value);

  // ---- surfaces -------------------------------------------------------------------------------

  function decode(volume) {
    const bytes = Uint8Array.from(atob(volume.values), (c) => c.charCodeAt(0));
    return Float32Array.from(new Int16Array(bytes.buffer), (n) => n * volume.unit);
  }

  // Reciprocal vectors (without 2 pi) of three vectors: what turns slopes along them into a gradient.
  function reciprocal([a, b, c]) {
    const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const volume = a.reduce((sum, part, axis) => sum + part * cross(b, c)[axis], 0);
    return [cross(b, c), cross(c, a), cross(a, b)].map((v) => v.map((part) => part / volume));
  }

  // The six tetrahedra around a cell's diagonal; corner bits: x 4, y 2, z 1.
  const TETRAHEDRA = [[0, 4, 6, 7], [0, 6, 2, 7], [0, 2, 3, 7], [0, 3, 1, 7], [0, 1, 5, 7], [0, 5, 4, 7]];

  // Marching tetrahedra: where sign * f crosses the isovalue, linear along every edge.
  function trace(f, volume, sign, iso) {
    const [nx, ny, nz] = volume.shape;
    const offset = [...Array(8).keys()].map((c) => ((c >> 2) * ny + ((c >> 1) & 1)) * nz + (c & 1));
    const vertices = [], normals = [], faces = [], known = new Map();
    const [a, b, c] = volume.steps, o = volume.origin, across = reciprocal(volume.steps);
    const at = (i, j, k) => f[(Math.min(Math.max(i, 0), nx - 1) * ny + Math.min(Math.max(j, 0), ny - 1)) * nz + Math.min(Math.max(k, 0), nz - 1)];

    function vertex(p, q) {
      if (p > q) [p, q] = [q, p];
      const key = p * 8 + offset.indexOf(q - p), found = known.get(key);
      if (found !== undefined) return found;
      const t = (iso - sign * f[p]) / (sign * (f[q] - f[p]));
      const place = [0, 0, 0], slope = [0, 0, 0];
      for (const [n, weight] of [[p, 1 - t], [q, t]]) {
        const i = Math.floor(n / (ny * nz)), j = Math.floor(n / nz) % ny, k = n % nz;
        [i, j, k].forEach((m, axis) => { place[axis] += weight * m; });
        slope[0] += weight * (at(i - 1, j, k) - at(i + 1, j, k));
        slope[1] += weight * (at(i, j - 1, k) - at(i, j + 1, k));
        slope[2] += weight * (at(i, j, k - 1) - at(i, j, k + 1));
      }
      const [i, j, k] = place;
      vertices.push({ x: o[0] + i * a[0] + j * b[0] + k * c[0], y: o[1] + i * a[1] + j * b[1] + k * c[1], z: o[2] + i * a[2] + j * b[2] + k * c[2] });
      // Surfaces of constant value: the normal is the gradient.
      const n = [0, 1, 2].map((axis) => sign * slope.reduce((sum, s, m) => sum + s * across[m][axis], 0));
      const length = Math.hypot(...n) || 1;
      normals.push({ x: n[0] / length, y: n[1] / length, z: n[2] / length });
      known.set(key, vertices.length - 1);
      return vertices.length - 1;
    }

    function triangle(u, v, w) {
      if (u === v || v === w || u === w) return;
      const [A, B, C] = [vertices[u], vertices[v], vertices[w]], N = normals[u];
      const e = { x: B.x - A.x, y: B.y - A.y, z: B.z - A.z }, g = { x: C.x - A.x, y: C.y - A.y, z: C.z - A.z };
      const out = (e.y * g.z - e.z * g.y) * N.x + (e.z * g.x - e.x * g.z) * N.y + (e.x * g.y - e.y * g.x) * N.z;
      out < 0 ? faces.push(u, w, v) : faces.push(u, v, w);
    }

    for (let i = 0; i < nx - 1; i++) for (let j = 0; j < ny - 1; j++) for (let k = 0; k < nz - 1; k++) {
      const base = (i * ny + j) * nz + k;
      let above = 0;
      for (let n = 0; n < 8; n++) if (sign * f[base + offset[n]] > iso) above++;
      if (above === 0 || above === 8) continue;
      for (const corners of TETRAHEDRA) {
        const at4 = corners.map((n) => base + offset[n]);
        const inside = at4.filter((n) => sign * f[n] > iso), outside = at4.filter((n) => !(sign * f[n] > iso));
        if (inside.length === 1) triangle(...outside.map((n) => vertex(inside[0], n)));
        else if (inside.length === 3) triangle(...inside.map((n) => vertex(n, outside[0])));
        else if (inside.length === 2) {
          const [p, q] = inside, [r, s] = outside;
          const pr = vertex(p, r), ps = vertex(p, s), qr = vertex(q, r), qs = vertex(q, s);
          triangle(pr, ps, qs); triangle(pr, qs, qr);
        }
      }
    }
    return { vertexArr: vertices, normalArr: normals, faceArr: faces };
  }

  function drawSurfaces() {
    surfaces.forEach((shape) => viewer.removeShape(shape));
    surfaces = [];
    if (!values) return;
    const iso = isovalue(), volume = data.sites[site].volume;
    let triangles = 0;
    for (const [sign, color] of [[1, data.accumulation], [-1, data.depletion]]) {
      const mesh = trace(values, volume, sign, iso);
      triangles += mesh.faceArr.length / 3;
      if (mesh.faceArr.length) surfaces.push(viewer.addCustom({ ...mesh, color, opacity: 0.68 }));
    }
    $("view").dataset.triangles = triangles;
    $("isovalue-text").textContent = `±${iso.toPrecision(2)} e Å⁻³`;
    slider.setAttribute("aria-valuetext", `${iso.toPrecision(2)} electrons per cubic angstrom`);
  }

  // ---- atoms ----------------------------------------------------------------------------------

  const point = ([x, y, z]) => ({ x, y, z });

  function drawAtoms(model) {
    const atoms = model.atoms.map(({ symbol, at }, serial) => ({ elem: symbol, serial, ...point(at), bonds: [], bondOrder: [] }));
    viewer.addModel().addAtoms(atoms);
    for (const { symbol, radius, colour } of model.atoms) viewer.setStyle({ elem: symbol }, { sphere: { radius, color: colour } });
    for (const [i, j] of model.bonds) viewer.addCylinder({ start: point(model.atoms[i].at), end: point(model.atoms[j].at), radius: 0.13, color: "#8d8d8d" });
    model.cell.forEach((corner, n) => viewer.addCylinder({ start: point(corner), end: point(model.cell[(n + 1) % 4]), radius: 0.045, dashed: true, dashLength: 0.22, gapLength: 0.16, color: "#7d8790" }));
  }

  function look(from) {
    viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
    viewer.zoomTo();
    if (from === "side") { viewer.rotate(24, "y"); viewer.rotate(-74, "x"); }
    viewer.zoom(from === "side" ? 1.5 : 1.35);
    viewer.render();
  }

  function show(name) {
    site = name;
    document.querySelectorAll(".site").forEach((part) => part.classList.toggle("chosen", part.dataset.site === name));
    tabs.forEach((tab) => {
      const chosen = tab.dataset.site === name;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) $("panel").setAttribute("aria-labelledby", tab.id);
    });
    const model = data.sites[name];
    if (!viewer) return;
    const before = model && viewer.getView();
    viewer.removeAllModels();
    viewer.removeAllShapes();
    surfaces = [];
    values = null;
    if (model) {
      drawAtoms(model);
      if (model.volume) { values = decode(model.volume); drawSurfaces(); }
      show.once ? viewer.setView(before) : look("side");
      show.once = true;
    }
    viewer.render();
  }

  // ---- hands ----------------------------------------------------------------------------------

  const turn = { ArrowLeft: [-10, "y"], ArrowRight: [10, "y"], ArrowUp: [-10, "x"], ArrowDown: [10, "x"] };

  function onKey(event) {
    if (!viewer || event.ctrlKey || event.metaKey || event.altKey) return;
    if (turn[event.key]) viewer.rotate(...turn[event.key]);
    else if (event.key === "+" || event.key === "=") viewer.zoom(1.15);
    else if (event.key === "-") viewer.zoom(1 / 1.15);
    else if (event.key === "0") look("side");
    else return;
    event.preventDefault();
    viewer.render();
  }

  tabs.forEach((tab, n) => {
    tab.addEventListener("click", () => show(tab.dataset.site));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: n - 1, ArrowRight: n + 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = tabs[(step + tabs.length) % tabs.length];
      next.focus();
      show(next.dataset.site);
    });
  });
  if (tabs.length) show(tabs[0].dataset.site);
  addEventListener("beforeprint", () => document.querySelectorAll(".warnings details").forEach((part) => { part.open = true; }));
  if (!$("view")) return;

  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => {
    if (!viewer) return;
    const what = button.dataset.view;
    if (what === "in" || what === "out") { viewer.zoom(what === "in" ? 1.2 : 1 / 1.2); viewer.render(); } else look(what);
  }));
  if (slider) slider.addEventListener("input", () => {
    if (waiting || !viewer) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawSurfaces(); viewer.render(); });
  });
  $("view").addEventListener("keydown", onKey);
  // A page that is scrolled past the view must not zoom it.
  $("view").addEventListener("wheel", (event) => {
    if (!$("view").contains(document.activeElement)) event.stopPropagation();
  }, { capture: true, passive: true });
  $("view").addEventListener("pointerdown", () => $("view").focus({ preventScroll: true }));

  let printed = null;
  addEventListener("beforeprint", () => {
    if (!viewer) return;
    viewer.render();
    printed = new Image();
    printed.src = viewer.pngURI();
    $("view").querySelector("canvas").hidden = true;
    $("view").append(printed);
  });
  addEventListener("afterprint", () => {
    if (!printed) return;
    printed.remove();
    printed = null;
    $("view").querySelector("canvas").hidden = false;
  });

  // Text first; then the view.
  requestAnimationFrame(() => setTimeout(() => {
    const canvas = document.createElement("canvas");
    if (!(canvas.getContext("webgl2") || canvas.getContext("webgl"))) {
      $("view").hidden = true;
      $("no-view").hidden = false;
      return;
    }
    viewer = $3Dmol.createViewer($("view"), { backgroundColor: "white", orthographic: true, disableFog: true });
    show(site);
    $("view").dataset.ready = "true";
  }));
})();
