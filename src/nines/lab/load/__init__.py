"""Open-loop load, and a small exact HTTP client.

`address_of` says where, `request_of` makes a request of the model's call, `generator.run`, `generator.background` or an
`OpenLoop` send a `plan_of` a load, and `client.Client` sends single requests and races; `ending` turns what came back
into the model's exchanges. Everything runs in the caller's event loop (uvloop, for its precision): measured beside a
busy proxy, a thread or a process of its own was no more punctual, and a loop that was kept from it voids the load.
"""
