// The panel kernel in integer AVX2. Same codes as panel_portable; falls back to it on other
// processors.
#pragma once

#include "compression/integer/kernels/panel.h"

namespace pare::integer {

// Whether this processor can run panel_avx2.
bool has_avx2();

void panel_avx2(const PanelJob& job, const Panel& panel, const Finish& finish);

}  // namespace pare::integer
