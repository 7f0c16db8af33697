// Walks a part of a tensor channel by channel, without a division for each of its elements.
#pragma once

#include <algorithm>
#include <cstdint>

#include "compression/quantize/grid.h"

namespace pare {

// Cuts elements [begin, end) of a tensor, begin < end, into runs that lie in one channel each and
// calls run(offset, count, channel) for them in order.
template <class Run>
void for_each_run(const ChannelView& view, std::int64_t begin, std::int64_t end, const Run& run) {
  if (view.channels == 1) return run(begin, end - begin, std::size_t{0});
  std::int64_t channel = begin / view.inner % view.channels;
  std::int64_t border = (begin / view.inner + 1) * view.inner;
  while (begin < end) {
    const std::int64_t stop = std::min(end, border);
    run(begin, stop - begin, static_cast<std::size_t>(channel));
    begin = stop;
    border += view.inner;
    if (++channel == view.channels) channel = 0;
  }
}

}  // namespace pare
