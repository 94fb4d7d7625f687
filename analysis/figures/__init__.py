"""Figures: data and matplotlib axes in, axes and figures out; nothing is read or written.

- `style`: sizes, typefaces, panel letters, the page with caption and watermark
- `colours`: of the elements, and of the isosurfaces
- `raster`: spheres and translucent surfaces to pixels, hidden by depth
- `isosurfaces`: surfaces of a density difference, and the value to draw them at
- `scene`: which atoms and surfaces are shown, and from where
- `atoms`: a scene on axes, the length bar, the key
- `sheet`: rows of sites that share a scale
- `bars`: adsorption energies beside the paper's
- `arrhenius`: charge transfer over temperature
- `plane_average`: the difference averaged over planes
- `fig5`: figure 5 as a whole, and its panels
- `supplement`: figures S17 and S18, plane averages
- `lattice`: powder lines and diffraction rings beside the paper's spacings
- `potential`: the electrostatic potential along the surface normal, and the work function
- `measured`: spectra, Tafel plots, nucleation and cycling of measured cells
- `convergence`, `sensitivity`: what a sweep of settings shows
"""
