// Walks over the places of an image that a kernel writes, in runs whose taps lie alike, with a list
// of these taps: all that an innermost loop needs, unrolled over them.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/kernels/axis_taps.h"
#include "framework/kernels/prefetch.h"

namespace pare {

// Where a tap lies, counted in floats: from what the first tap of its place reads, and in the
// weight.
struct Tap {
  std::int64_t source, weight;
};

// What the next row of places will read and the rows before it have not: `rows` rows, the first of
// them `source` behind what this row reads; and what it will write, `to` behind.
struct Ahead {
  std::int64_t source, rows, source_row, to;

  void prefetch_source(const float* here, std::int64_t size, std::int64_t step) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < size; i += step) prefetch(here, source + row * source_row + i);
    }
  }
};

// Of an image [rows.places, columns.places, channels] that is written from an image [..,
// source_width, channels] and a weight [rows.kernel, columns.kernel, channels].
template <class Axis>
class PlaceWalk {
 public:
  PlaceWalk(const Axis& rows, const Axis& columns, std::int64_t source_width, std::int64_t channels)
      : rows_(rows),
        columns_(columns),
        source_width_(source_width),
        channels_(channels),
        runs_(place_runs(columns)) {}

  // Calls f(first place, number of places, first float that they read, their taps) for every run of
  // every row, rows in order. Places lie columns.period() apart and read columns.advance() apart.
  template <class F>
  void for_runs(const F& f) const {
    thread_local std::vector<Tap> taps;
    for (std::int64_t y = 0; y < rows_.places; ++y) {
      const AxisTaps row = rows_.at(y);
      for (const PlaceRun& run : runs_) {
        list(row, run.taps, taps);
        f(y * columns_.places + run.first, run.count,
          (row.source * source_width_ + run.taps.source) * channels_, taps);
      }
    }
  }

  Ahead ahead() const {
    const std::int64_t row = source_width_ * channels_;
    return {rows_.kernel * row, rows_.advance(), row, columns_.places * channels_};
  }

 private:
  void list(const AxisTaps& row, const AxisTaps& column, std::vector<Tap>& taps) const {
    taps.clear();
    for (std::int64_t i = 0; i < row.count; ++i) {
      const std::int64_t weight_row = (row.first + i * rows_.tap_step()) * columns_.kernel;
      for (std::int64_t j = 0; j < column.count; ++j) {
        const std::int64_t weight = weight_row + column.first + j * columns_.tap_step();
        taps.push_back({(i * source_width_ + j) * channels_, weight * channels_});
      }
    }
  }

  Axis rows_, columns_;
  std::int64_t source_width_, channels_;
  StepVector<PlaceRun> runs_;
};

}  // namespace pare
