payment-conflict = A consulta está registrada com { $amount }; nada foi alterado
negative = { $argument } não pode ser negativo
too-large = { $argument } deve ser no máximo { $maximum }
too-precise = { $argument } deve ter no máximo duas casas decimais
number-of-payments = Envie de 1 a { $maximum } pagamentos
wrong-instance = Esta é a instância { $instance } do financeiro, não { $expected }; nada foi registrado
wrong-currency = Este financeiro tem pagamentos em { $currency }; nada foi registrado
