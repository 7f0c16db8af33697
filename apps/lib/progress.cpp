#include "apps/lib/progress.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "apps/lib/phases.h"

namespace pare {
namespace {

constexpr double kBetweenRedraws = 0.1;  // seconds
constexpr int kBarWidth = 24;

std::string bar(double fraction) {
  const int full = static_cast<int>(std::lround(fraction * kBarWidth));
  return "[" + std::string(static_cast<std::size_t>(full), '#') +
         std::string(static_cast<std::size_t>(kBarWidth - full), '.') + "]";
}

std::string percent(const std::optional<double>& x) {
  return x ? fmt::format("{:.2f}", 100 * *x) : "-";
}

}  // namespace

Progress::Progress(Console& console, const std::vector<ScheduleSpan>& spans, std::int64_t done)
    : console_(console), before_(done), start_(monotonic_seconds()) {
  for (const ScheduleSpan& span : spans) {
    steps_ += span.steps;
    epochs_ += epochs_of(span);
  }
}

void Progress::step(const StepNews& news) {
  if (!console_.shows_status()) return;
  const double now = monotonic_seconds();
  if (now - last_shown_ < kBetweenRedraws) return;
  last_shown_ = now;
  const double fraction = static_cast<double>(news.run_step) / static_cast<double>(steps_);
  console_.status(fmt::format("{} {:3.0f}% epoch {}/{} [{}] loss {:.4f} {:.0f} images/s ETA {}",
                              bar(fraction), 100 * fraction, news.epoch, epochs_, news.phase.name,
                              news.loss, news.images_per_second, time_left(news.run_step)));
}

void Progress::row(const EpochRow& row) {
  const std::string status = row.status.empty() ? "" : " " + row.status;
  if (!row.loss) {
    console_.say(
        fmt::format("calibrated [{}] val {}{}", row.phase, percent(row.validation), status));
    return;
  }
  console_.say(fmt::format(
      "epoch {}/{} [{}] loss {:.4f} acc {} val {} lr {:.3g}{} {:.0f} images/s ETA {}", row.epoch,
      epochs_, row.phase, *row.loss, percent(row.accuracy), percent(row.validation),
      row.learning_rate, status, row.images_per_second.value_or(0), time_left(row.step)));
}

void Progress::verifying(std::int64_t images, std::int64_t all) {
  console_.status(images < all ? fmt::format("verifying: image {} of {}", images, all) : "");
}

// At the mean pace of this process, evaluations included.
std::string Progress::time_left(std::int64_t run_step) const {
  const double done = static_cast<double>(run_step - before_);
  if (done <= 0) return "?";
  return clock_text((monotonic_seconds() - start_) / done * static_cast<double>(steps_ - run_step));
}

std::string clock_text(double seconds) {
  const auto s = static_cast<std::int64_t>(std::llround(seconds));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace pare
