#include "observe/log.h"

namespace sluice {

void start_logging(LogLevel, LogFormat) {}
void stop_logging() {}
void log(LogLevel, std::string_view, std::initializer_list<LogField>) {}
void log(LogLevel, std::string_view, const Error&, std::initializer_list<LogField>) {}
void log_escaped_exception(std::string_view, const std::exception_ptr&) {}

}  // namespace sluice
