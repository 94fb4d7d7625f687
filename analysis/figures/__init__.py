"""Figures: data and matplotlib axes in, axes and figures out; nothing is read or written.

- `style`: sizes, fonts, colours, panel letters
- `raster`: spheres and translucent surfaces to pixels, hidden by depth
- `scene`: which atoms and surfaces are shown, and from where
- `isosurfaces`: closed surfaces of a density difference, and the value to draw them at
- `atoms`: pictures of sites on axes
- `bars`: adsorption energies beside the paper's
- `arrhenius`: charge transfer over temperature
- `profile`: the difference averaged over planes
- `lattice`: powder lines and diffraction rings beside the paper's spacings
- `potential`: the electrostatic potential along the surface normal, and the work function
- `fig5`: figure 5 as a whole, its panels, S17, S18
"""
