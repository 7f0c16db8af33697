#include "apps/lib/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kPlain = "\033[0m";
constexpr std::string_view kEraseLine = "\r\033[K";

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

Console::Console(Level level) : level_(level), terminal_(isatty(STDERR_FILENO) == 1) {
  const char* no_color = std::getenv("NO_COLOR");
  colours_ = terminal_ && !(no_color && *no_color);
}

Console::~Console() {
  status("");
  if (log_ >= 0) close(log_);
}

void Console::say(const std::string& text) { write(text, level_ != Level::quiet, ""); }

void Console::detail(const std::string& text) { write(text, level_ == Level::verbose, ""); }

void Console::warn(const std::string& text) { write("warning: " + text, true, kYellow); }

void Console::error(const std::string& text) { write("error: " + text, true, kRed); }

void Console::status(const std::string& text) {
  if (!shows_status() || text == status_) return;
  status_ = text;
  put(std::string(kEraseLine) + status_);
}

void Console::write(const std::string& text, bool shown, std::string_view colour) {
  append_to_log(text);
  if (!shown) return;
  const bool coloured = colours_ && !colour.empty();
  std::string line = status_.empty() ? "" : std::string(kEraseLine);
  line += coloured ? std::string(colour) + text + std::string(kPlain) : text;
  put(line + "\n" + status_);
}

void Console::log_to(const std::string& path) {
  log_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log_ < 0) throw FailedError(path + ": cannot be opened for writing: " + std::strerror(errno));
  for (const std::string& text : unlogged_) append_to_log(text);
  unlogged_.clear();
}

void Console::append_to_log(const std::string& text) {
  if (log_ < 0) {
    unlogged_.push_back(text);
    return;
  }
  const std::string line = text + "\n";
  // A log that cannot be written must not end a run: what matters is written elsewhere, and
  // checked.
  [[maybe_unused]] const ssize_t ignored = ::write(log_, line.data(), line.size());
}

}  // namespace pare
