"""Names shared by the modules about slabs: array types, and the directions of a surface."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

IN_PLANE = (True, True, False)  # a surface repeats along x and y, whatever atoms.pbc says
