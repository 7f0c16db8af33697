// Console: what a program says while it works. Messages go to stderr and into the run's log; a
// status line is rewritten on a terminal and absent elsewhere. Colours only on a terminal, and not
// where NO_COLOR is set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pare {

class Console {
 public:
  enum class Level { quiet, normal, verbose };
  explicit Console(Level level = Level::normal);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void say(const std::string& text);     // not where quiet
  void detail(const std::string& text);  // only where verbose
  void warn(const std::string& text);    // always
  void error(const std::string& text);   // always
  // Replaces the status line; "" removes it.
  void status(const std::string& text);
  bool shows_status() const { return terminal_ && level_ != Level::quiet; }

  // Appends everything said so far, and from now on, to a file. Throws FailedError.
  void log_to(const std::string& path);

 private:
  void write(const std::string& text, bool shown, std::string_view colour);
  void append_to_log(const std::string& text);

  Level level_;
  bool terminal_;
  bool colours_;
  std::string status_;
  std::vector<std::string> unlogged_;  // before log_to
  int log_ = -1;
};

}  // namespace pare
