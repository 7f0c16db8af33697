#include "compression/integer/plan.h"

#include <algorithm>
#include <numeric>

#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

// One piece of memory: the tensors that share it are alive during the steps [first, last].
struct Buffer {
  std::int64_t size = 0;
  std::int32_t first = 0, last = 0;
  std::int64_t offset = -1;  // -1: not placed yet
};

bool alive_together(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The last step that reads each tensor; its own writer where nothing reads it.
std::vector<std::int32_t> last_readers(const Program& program, const Schedule& schedule) {
  std::vector<std::int32_t> last(program.tensors.size(), 0);
  for (std::size_t s = 0; s < schedule.size(); ++s) {
    const auto now = static_cast<std::int32_t>(s);
    last[schedule[s].output] = now;
    for (const std::int32_t t : schedule[s].inputs) last[t] = now;
  }
  last[program.output] = static_cast<std::int32_t>(schedule.size());
  return last;
}

// The lowest offset at which `buffer` meets none of the placed ones that are alive with it.
std::int64_t lowest_fit(const Buffer& buffer, const std::vector<Buffer>& buffers) {
  std::vector<const Buffer*> others;
  for (const Buffer& other : buffers) {
    if (other.offset >= 0 && alive_together(other, buffer)) others.push_back(&other);
  }
  std::sort(others.begin(), others.end(),
            [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
  std::int64_t offset = 0;
  for (const Buffer* other : others) {
    if (offset + buffer.size <= other->offset) break;
    offset = std::max(offset, other->offset + other->size);
  }
  return offset;
}

std::int64_t alive_bytes(const std::vector<Buffer>& buffers, std::int32_t step) {
  std::int64_t bytes = 0;
  for (const Buffer& b : buffers) bytes += b.first <= step && step <= b.last ? b.size : 0;
  return bytes;
}

}  // namespace

Plan plan_arena(const Program& program, const Schedule& schedule,
                std::span<const std::int64_t> scratch, std::int64_t alignment) {
  constexpr auto kNowhere = static_cast<std::size_t>(-1);
  const std::vector<std::int32_t> last = last_readers(program, schedule);
  std::vector<Buffer> buffers;
  std::vector<std::size_t> home(program.tensors.size(), kNowhere);  // tensor -> buffer
  const auto own_buffer = [&](std::int32_t tensor, std::int32_t writer) {
    home[tensor] = buffers.size();
    buffers.push_back({program.tensors[tensor].size(), writer, last[tensor]});
  };
  const auto add_scratch = [&](std::size_t step) {
    if (scratch.empty() || scratch[step] == 0) return kNowhere;
    const auto now = static_cast<std::int32_t>(step);
    buffers.push_back({scratch[step], now, now});
    return buffers.size() - 1;
  };
  std::vector<std::size_t> scratch_home;  // step -> buffer
  own_buffer(program.input, 0);
  for (std::size_t s = 0; s < schedule.size(); ++s) {
    const Operation& operation = program.operations[schedule[s].first];
    const auto now = static_cast<std::int32_t>(s);
    const std::int32_t input = schedule[s].inputs[0];
    const std::int32_t output = schedule[s].output;
    // A reshape of a reshape keeps the first one's memory alive, so the buffer's own last reader
    // decides.
    const bool shares =
        std::holds_alternative<Reshape>(operation) ||
        (std::holds_alternative<Clamp>(operation) && buffers[home[input]].last == now);
    scratch_home.push_back(add_scratch(s));
    if (!shares) {
      own_buffer(output, now);
      continue;
    }
    home[output] = home[input];
    buffers[home[input]].last = std::max(buffers[home[input]].last, last[output]);
  }

  for (Buffer& b : buffers) b.size = (b.size + alignment - 1) / alignment * alignment;
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].size > buffers[b].size; });
  Plan plan;
  for (const std::size_t b : order) {
    buffers[b].offset = lowest_fit(buffers[b], buffers);
    plan.bytes = std::max(plan.bytes, buffers[b].offset + buffers[b].size);
  }
  const auto offset_of = [&](std::size_t b) { return b == kNowhere ? -1 : buffers[b].offset; };
  for (const std::size_t b : home) plan.offsets.push_back(offset_of(b));
  for (const std::size_t b : scratch_home) plan.scratch.push_back(offset_of(b));
  for (std::size_t s = 0; s < schedule.size(); ++s) {
    plan.alive.push_back(alive_bytes(buffers, static_cast<std::int32_t>(s)));
  }
  return plan;
}

Plan plan_arena(const Program& program) { return plan_arena(program, every_operation(program)); }

}  // namespace pare::integer
