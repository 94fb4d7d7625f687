"""What was measured on cells: numbers in, parameters with errors and caveats out.

- `circuit`: two semicircles of an impedance spectrum
- `kramers_kronig`: whether a spectrum may be fitted at all
- `tafel`: exchange current density
- `nucleation`: nucleation overpotential
- `cycling`: half-cycles, rate steps, capacities, the hour when a cell fails
"""
