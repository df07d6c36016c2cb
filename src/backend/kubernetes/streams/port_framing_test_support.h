// For tests of a PortFraming: what comes out of the pieces that it is fed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend/kubernetes/streams/port_framing.h"

namespace sluice::backend::kubernetes {

enum class EndsMessage { No, Yes };

inline std::string describe(const PortEvent& event) {
  if (const auto* data = std::get_if<PortData>(&event)) return std::string(as_text(data->bytes));
  if (const auto* trouble = std::get_if<PortTrouble>(&event)) {
    return "trouble " + std::string(trouble->text);
  }
  if (const auto* answer = std::get_if<PortAnswer>(&event)) return "answer " + answer->message;
  return std::holds_alternative<PortClosed>(event) ? "closed" : "reset";
}

/// An error, or the end, is the last.
inline std::vector<std::string> events_of(PortFraming& framing, std::string text,
                                          EndsMessage ends = EndsMessage::Yes) {
  const MutableBytes bytes(reinterpret_cast<std::byte*>(text.data()), text.size());
  framing.feed({.payload = bytes, .ends_message = ends == EndsMessage::Yes});
  std::vector<std::string> events;
  while (true) {
    const auto event = framing.next();
    if (!event) events.push_back("error " + event.error().message);
    if (!event || !*event) return events;
    events.push_back(describe(**event));
    if (events.back() == "closed" || events.back() == "reset") return events;
  }
}

}  // namespace sluice::backend::kubernetes
