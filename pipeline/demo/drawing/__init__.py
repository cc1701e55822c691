"""Drawing of the demo's scenes: people, backgrounds, props and weather as pixels."""
