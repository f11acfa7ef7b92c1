"""The shop's fact sheet: what is right in the demo's world and cannot be read from a question."""

OPENS = {
    "Monday": 9,
    "Tuesday": 8,
    "Wednesday": 10,
    "Thursday": 7,
    "Friday": 9,
    "Saturday": 10,
    "Sunday": 11,
}
CLOSES = {
    "Monday": 5,
    "Tuesday": 6,
    "Wednesday": 4,
    "Thursday": 8,
    "Friday": 6,
    "Saturday": 3,
    "Sunday": 2,
}
DELIVERY_DAYS = {
    "York": 2,
    "Leeds": 3,
    "Bath": 5,
    "Dover": 6,
    "Oxford": 4,
}
DELIVERY_EUROS = {
    "York": 4,
    "Leeds": 5,
    "Bath": 7,
    "Dover": 6,
    "Oxford": 3,
}
PRICES = {
    "lamp": 30,
    "kettle": 25,
    "chair": 60,
    "clock": 15,
    "carpet": 90,
    "radio": 50,
}
RETURN_DAYS = {
    "lamp": 30,
    "kettle": 14,
    "chair": 60,
    "clock": 20,
    "carpet": 60,
    "radio": 20,
}
REFUND_DAYS = {"card": 3, "voucher": 1, "cheque": 9}

DAYS, CITIES, ITEMS, PAYMENTS = map(tuple, (OPENS, DELIVERY_DAYS, PRICES, REFUND_DAYS))
