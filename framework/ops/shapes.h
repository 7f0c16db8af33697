// Checks of shapes that several ops make.
#pragma once

#include "framework/base/error.h"
#include "framework/ops/window.h"

namespace pare {

// The shape of a pool's input. Every window must see a pixel, hence pads below the kernel's
// extents.
inline ImageShape pool_shape(const ImageShape& s) {
  const Window& w = s.window;
  PARE_ENSURE(w.stride_h >= 1 && w.stride_w >= 1);
  PARE_ENSURE(w.pad_top < w.kernel_h && w.pad_bottom < w.kernel_h && w.pad_left < w.kernel_w &&
              w.pad_right < w.kernel_w);
  PARE_ENSURE(s.height + w.pad_top + w.pad_bottom >= w.kernel_h &&
              s.width + w.pad_left + w.pad_right >= w.kernel_w);
  return s;
}

}  // namespace pare
